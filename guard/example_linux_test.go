package guard_test

import (
	"bytes"
	"fmt"

	"github.com/lowport/lowport/guard"
)

// What `doctor -record` writes: to attach to a bug report.
func ExampleRecord() {
	recording, err := guard.Record(freeAddress())
	if err != nil {
		fmt.Println(err)
		return
	}
	first, _, _ := bytes.Cut(recording, []byte("\n"))
	fmt.Printf("%s\n", first)
	// Output: # recorded by lowport; names, paths and addresses are replaced
}
