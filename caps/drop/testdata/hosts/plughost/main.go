// Plughost opens the plugin that it is given and calls its DropAll. It reads the result
// by package caps, which looks at every thread on its own.
package main

import (
	"log"
	"os"
	"plugin"

	"github.com/lowport/lowport/caps"
)

func main() {
	p, err := plugin.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	f, err := p.Lookup("DropAll")
	if err != nil {
		log.Fatal(err)
	}
	if err := f.(func() error)(); err != nil {
		log.Fatal(err)
	}
	threads, err := caps.Threads(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	for tid, s := range threads {
		if s.Inheritable|s.Permitted|s.Effective|s.Ambient != 0 || !s.NoNewPrivs {
			log.Fatalf("thread %d: %+v", tid, s)
		}
	}
}
