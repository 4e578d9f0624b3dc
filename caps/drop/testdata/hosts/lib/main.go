// A library for programs in other languages: -buildmode=c-shared or c-archive.
package main

import "C"

import "github.com/lowport/lowport/caps/drop"

// DropAll returns nil, or what went wrong.
//
//export DropAll
func DropAll() *C.char {
	if err := drop.All(); err != nil {
		return C.CString(err.Error())
	}
	return nil
}

func main() {}
