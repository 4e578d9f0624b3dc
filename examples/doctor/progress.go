package main

import (
	"fmt"
	"os"

	"github.com/lowport/lowport/internal/term"
)

// A progress counts on a terminal, and nowhere else.
type progress struct {
	to *os.File // nil where nobody watches
	n  int
}

func newProgress(f *os.File) *progress {
	if !term.Of(f).Styled {
		return &progress{}
	}
	return &progress{to: f}
}

// step counts one more.
func (p *progress) step(what string) {
	if p.n++; p.to != nil {
		fmt.Fprintf(p.to, "\r%d %s…", p.n, what)
	}
}

// clear removes the count.
func (p *progress) clear() {
	if p.to != nil && p.n > 0 {
		fmt.Fprint(p.to, "\r\x1b[K")
	}
}
