package caps

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// interprets asks about a file under another name.
func interprets(t *testing.T, path, base string) bool {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	yes, err := Interprets(f, info.Size(), base)
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	return yes
}

// installed returns the programs of these names that are here and ELF files, by real path.
func installed(names ...string) (paths []string) {
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if path, err = filepath.EvalSymlinks(path); err != nil {
			continue
		}
		if b, err := os.ReadFile(path); err == nil && bytes.HasPrefix(b, []byte("\x7fELF")) {
			paths = append(paths, path)
		}
	}
	return paths
}

// What is here of the programs that run others is known by its content, so that a copy
// under any name is. An ordinary program is none.
func TestInterprets(t *testing.T) {
	names := append([]string{"ld.so", "nsenter", "chroot", "taskset", "chrt", "ionice", "stdbuf"}, interpreters...)
	loaders, _ := filepath.Glob("/lib*/ld-*.so*")
	all := append(installed(names...), loaders...)
	for _, path := range all {
		if !interprets(t, path, "app") {
			t.Errorf("%s is said to be no interpreter", path)
		}
	}
	ordinary := installed("cat", "cp", "ls", "grep", "sed", "tar", "gzip", "sleep", "ss", "ip", "mount", "ps", "curl", "setcap",
		"openssl", "sshd", "nginx", "systemctl")
	for _, path := range ordinary {
		if interprets(t, path, filepath.Base(path)) {
			t.Errorf("%s is said to be an interpreter", path)
		}
	}
	if len(all) == 0 || len(ordinary) < 5 {
		t.Errorf("%d and %d programs: this test sees too little", len(all), len(ordinary))
	}
}

// A program that Go built is none, whatever it is called. Another is by its name, where
// nothing in it says so; and a script is a matter of its own.
func TestInterpretsByName(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if interprets(t, exe, "node") {
		t.Error("a Go program called node is said to be an interpreter")
	}
	for _, path := range installed("cat") {
		if !interprets(t, path, "python3.11") || !interprets(t, path, "R") || interprets(t, path, "server") {
			t.Errorf("%s is not told by its name", path)
		}
	}
	if yes, err := Interprets(bytes.NewReader([]byte("#!/bin/sh\n")), 10, "sh"); yes || err != nil {
		t.Errorf("a script: %v, %v", yes, err)
	}
}

// A mark that lies across two reads is found.
func TestMarked(t *testing.T) {
	const piece = 256 << 10
	for _, at := range []int{0, piece - 7, piece - 1, piece, 2*piece - 64 - 3} {
		file := bytes.Repeat([]byte{'x'}, 3*piece)
		copy(file[at:], "BusyBox v1")
		if yes, err := marked(bytes.NewReader(file)); !yes || err != nil {
			t.Errorf("at %d: %v, %v", at, yes, err)
		}
	}
	if yes, err := marked(bytes.NewReader([]byte("\x00OPTIND only"))); yes || err != nil {
		t.Errorf("half of a mark: %v, %v", yes, err)
	}
}

// A header that is cut off or says what cannot be is an error, and nothing panics.
func FuzzReadELF(f *testing.F) {
	exe, err := os.Executable()
	if err != nil {
		f.Fatal(err)
	}
	own, err := os.ReadFile(exe)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own[:1<<12])
	f.Add([]byte("\x7fELF\x02\x01"))
	f.Add([]byte("#!/bin/sh\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		kind, err := readELF(bytes.NewReader(file))
		if err != nil && kind != (elfKind{}) {
			t.Errorf("%+v beside %v", kind, err)
		}
		if !bytes.HasPrefix(file, []byte("\x7fELF")) && !errors.Is(err, errNotELF) {
			t.Errorf("%v", err)
		}
		if len(file) < 52 && err == nil {
			t.Error("no error for a header that is cut off")
		}
	})
}
