// A plugin: -buildmode=plugin.
package main

import "github.com/lowport/lowport/caps/drop"

func DropAll() error { return drop.All() }

func main() {}
