// Http is a server of package net/http that binds by itself.
package main

import (
	"fmt"
	"log"
	"net/http"

	"github.com/lowport/lowport/guard" // new
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })
	log.Fatal(guard.Explain(http.ListenAndServe(":80", nil))) // was: log.Fatal(http.ListenAndServe(":80", nil))
}
