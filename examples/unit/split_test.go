package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lowport/lowport/guard/unit"
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

// Of several addresses in a command no one is guessed to be the server's own.
func TestSocketAddress(t *testing.T) {
	const command = "/a --addr :443 --backend=10.0.0.5:5432"
	if o, err := parse([]string{"-exec", command, "-socket"}); err == nil || !strings.Contains(err.Error(), ":443, 10.0.0.5:5432") {
		t.Errorf("%q, %v", o.service.Listen, err)
	}
	if o, err := parse([]string{"-exec", command, "-socket", "-listen", ":443"}); err != nil || !slices.Equal(o.service.Listen, []string{":443"}) {
		t.Errorf("%q, %v", o.service.Listen, err)
	}
	if o, err := parse([]string{"-exec", "/a --addr :443", "-socket"}); err != nil || !slices.Equal(o.service.Listen, []string{":443"}) {
		t.Errorf("%q, %v", o.service.Listen, err)
	}
}

// A unit that a package brought is hidden by none in /etc.
func TestHides(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "nginx.service"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	folders := []string{filepath.Join(dir, "none"), dir}
	for name, want := range map[string]bool{"nginx.service": true, "nginx.service.d/50-lowport-unit.conf": false, "web.service": false} {
		if err := hides(folders, []unit.File{{Name: name}}); (err != nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
