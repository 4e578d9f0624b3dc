package caps_test

import (
	"fmt"
	"log"
	"os"

	"github.com/lowport/lowport/caps"
)

func ExampleParseFile() {
	f, err := caps.ParseFile("cap_net_bind_service=ep")
	fmt.Println(f.Permitted, f.Effective, err)
	// Output: cap_net_bind_service true <nil>
}

func ExampleFile_String() {
	f := caps.File{Version: 2, Permitted: caps.SetOf(caps.NET_BIND_SERVICE), Effective: true}
	fmt.Println(f)
	// Output: cap_net_bind_service=ep
}

func ExampleFile_State() {
	f := caps.File{Version: 2, Permitted: caps.SetOf(caps.NET_BIND_SERVICE), Effective: true}
	fmt.Println(f.State().Effective)
	// Output: cap_net_bind_service
}

// The bytes of the attribute security.capability.
func ExampleFile_AppendBinary() {
	f := caps.File{Version: 2, Permitted: caps.SetOf(caps.NET_BIND_SERVICE)}
	b, err := f.AppendBinary(nil)
	fmt.Printf("%x %v\n", b, err)
	// Output: 0000000200040000000000000000000000000000 <nil>
}

func ExampleDanger_Instead() {
	fmt.Println(caps.NotELF.Instead() != "")
	// Output: true
}

// What speaks against capabilities for a file, before any are written.
func ExampleDangers() {
	exe, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	danger, err := caps.Dangers(exe)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(danger&(caps.NotELF|caps.Interpreter) == 0)
	// Output: true
}

// A capability on one of these is everybody's. This test is a program that Go built.
func ExampleInterprets() {
	exe, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	file, err := os.Open(exe)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(caps.Interprets(file, info.Size(), "python3"))
	// Output: false <nil>
}
