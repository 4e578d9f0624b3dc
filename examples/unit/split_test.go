package main

import (
	"slices"
	"testing"
)

func TestSplit(t *testing.T) {
	for s, want := range map[string][]string{
		"/a b  c":            {"/a", "b", "c"},
		`/a 'b "c' d\ e`:     {"/a", `b "c`, "d e"},
		`/a "b\"c\d" ''`:     {"/a", `b"c\d`, ""},
		"/a\n\tb":            {"/a", "b"},
		`/a $HOME '%n' "$x"`: {"/a", "$HOME", "%n", "$x"},
		"":                   nil,
		"'":                  nil,
		`a\`:                 nil,
	} {
		if got, err := split(s); !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("split(%q) = %q, %v", s, got, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	for s, want := range map[string][]string{
		"/a --addr :443":                  {":443"},
		"/a --addr=127.0.0.1:443 [::]:80": {"127.0.0.1:443", "[::]:80"},
		"/a:443 -v x:http 443 --c=/d:e":   nil,
	} {
		argv, err := split(s)
		if got := addresses(argv); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", s, got, err)
		}
	}
}
