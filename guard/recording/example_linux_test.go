package recording_test

import (
	"bytes"
	"fmt"

	"github.com/lowport/lowport/guard/recording"
)

// What `doctor -record` writes: to attach to a bug report.
func ExampleMake() {
	saved, err := recording.Make(":443")
	if err != nil {
		fmt.Println(err)
		return
	}
	first, _, _ := bytes.Cut(saved, []byte("\n"))
	fmt.Printf("%s\n", first)
	// Output: # recorded by lowport; names, paths and addresses are replaced
}
