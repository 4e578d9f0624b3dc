package caps_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"syscall"

	"github.com/lowport/lowport/caps"
)

// What this thread holds; Effective is the set that the kernel asks.
func ExampleSelf() {
	s, err := caps.Self()
	effective, _ := caps.Effective()
	fmt.Println(s.Effective == effective, s.Permitted.Contains(s.Effective), err)
	// Output: true true <nil>
}

func ExampleEffective() {
	s, err := caps.Effective()
	if err != nil || !s.Has(caps.NET_ADMIN) {
		log.Print("this thread may not change routes")
	}
	threads, _ := caps.Threads(os.Getpid())
	fmt.Println(s == threads[os.Getpid()].Effective, err)
	// Output: true <nil>
}

// Capabilities belong to threads: here all have the same.
func ExampleThreads() {
	threads, err := caps.Threads(os.Getpid())
	same := true
	for _, s := range threads {
		same = same && s == threads[os.Getpid()]
	}
	fmt.Println(same, err)
	// Output: true <nil>
}

func ExampleProcess() {
	s, err := caps.Process(os.Getpid())
	fmt.Println(s.Permitted.Contains(s.Effective), err)
	// Output: true <nil>
}

func ExampleLastCap() {
	last, err := caps.LastCap()
	fmt.Println(last >= caps.CHECKPOINT_RESTORE, err)
	// Output: true <nil>
}

// A file that was just made has no capabilities.
func ExampleReadFile() {
	path, done := newFile()
	defer done()
	_, err := caps.ReadFile(path)
	fmt.Println(errors.Is(err, caps.ErrNoCaps) || errors.Is(err, syscall.EOPNOTSUPP))
	// Output: true
}

func ExampleReadOpen() {
	path, done := newFile()
	defer done()
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	_, err = caps.ReadOpen(file)
	fmt.Println(errors.Is(err, caps.ErrNoCaps) || errors.Is(err, syscall.EOPNOTSUPP))
	// Output: true
}

// What a deployment checks after it copied the program.
func ExampleVerifyFile() {
	path, done := newFile()
	defer done()
	err := caps.VerifyFile(path, caps.File{Permitted: caps.SetOf(caps.NET_BIND_SERVICE)})
	fmt.Println(err != nil)
	// Output: true
}

func ExampleRemoveFile() {
	path, done := newFile()
	defer done()
	fmt.Println(caps.RemoveFile(path) != nil) // it has none
	// Output: true
}

func ExampleRemoveOpen() {
	path, done := newFile()
	defer done()
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	fmt.Println(caps.RemoveOpen(file) != nil) // it has none
	// Output: true
}

// A script had better not have capabilities: its interpreter would not get them.
func ExampleWriteFile() {
	path, done := newFile()
	defer done()
	web := caps.File{Permitted: caps.SetOf(caps.NET_BIND_SERVICE)}
	err := caps.WriteFile(path, web, 0)
	if danger := (*caps.DangerError)(nil); errors.As(err, &danger) {
		fmt.Println(danger.Danger)
	}
	// Output: not an ELF program: the kernel runs an interpreter and ignores the script's capabilities
}

// Where the file is open already, as in an installer.
func ExampleWriteOpen() {
	path, done := newFile()
	defer done()
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	err = caps.WriteOpen(file, caps.File{Permitted: caps.SetOf(caps.NET_BIND_SERVICE)}, 0)
	var danger *caps.DangerError
	ok := errors.As(err, &danger)
	fmt.Println(ok && danger.Danger&caps.NotELF != 0)
	// Output: true
}

// What getcap -r prints.
func ExampleScan() {
	path, done := newFile()
	defer done()
	n := 0
	for found, err := range caps.Scan(filepath.Dir(path)) {
		if err != nil {
			log.Print(err) // there may be more than is seen
			continue
		}
		fmt.Println(found.Path, found.File)
		n++
	}
	fmt.Println(n, "files have capabilities")
	// Output: 0 files have capabilities
}

// newFile makes a script in a folder of its own.
func newFile() (path string, done func()) {
	dir, err := os.MkdirTemp("", "caps")
	if err != nil {
		panic(err)
	}
	path = filepath.Join(dir, "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		panic(err)
	}
	return path, func() { os.RemoveAll(dir) }
}
