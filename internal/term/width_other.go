//go:build !linux

package term

import "os"

func width(*os.File) (int, bool) { return 0, false }
