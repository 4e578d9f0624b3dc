//go:build !linux

package privport

func raise(func()) bool { return false }
