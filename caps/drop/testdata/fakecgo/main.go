// Fakecgo is a program that has no cgo and a package that stands in for it: a drop cannot
// reach its threads, and says so.
package main

import (
	"fmt"
	"os"

	_ "github.com/ebitengine/purego"

	"github.com/lowport/lowport/caps/drop"
)

func main() {
	if err := drop.All(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
