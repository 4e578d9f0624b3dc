// Plain is a server that knows nothing of capabilities: package net binds for it, and
// the guard only explains. It serves one request with "hello", or prints the error on
// one line, as it would be logged, and the report.
package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/lowport/lowport/guard"
)

func main() {
	err := http.ListenAndServe(os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "hello")
	}))
	err = guard.Explain(fmt.Errorf("serve: %w", err))
	fmt.Println("log:", fmt.Errorf("main: %v", err))
	fmt.Printf("%+v", err)
	os.Exit(1)
}
