//go:build linux

// Roll draws random systemd services and compares what a preflight says of them with what
// comes, as root:
//
//	roll [-n N] [-from FIRST] [-seed S] [-root DIR] [-o FILE] [-v]
//
// It prints the draws of which something wrong was said, then the sums, and exits with 1
// if there were any. The draw of a number and a seed is always the same one. In FILE it
// leaves every verdict, one JSON object a line.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"github.com/lowport/lowport/internal/lab/units"
)

var (
	n       = flag.Int("n", 200, "how many services to draw")
	from    = flag.Int("from", 0, "the number of the first")
	seed    = flag.Uint64("seed", 0, "what they are drawn from; random if 0")
	into    = flag.String("o", "", "write the verdicts to this `file`")
	root    = flag.String("root", "/", "the `folder` of the system whose systemd is asked, as debootstrap makes one")
	verbose = flag.Bool("v", false, "print every verdict")
)

func main() {
	flag.Parse()
	wrong, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "roll:", err)
		os.Exit(2)
	}
	if wrong > 0 {
		os.Exit(1)
	}
}

func run() (wrong int, err error) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	fmt.Printf("seed %d\n", *seed)
	machine, err := units.Boot(*root)
	if err != nil {
		return 0, err
	}
	defer machine.Close()
	var file io.Writer = io.Discard
	if *into != "" {
		f, err := os.Create(*into)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		file = f
	}
	encode := json.NewEncoder(file)
	sums, err := machine.Run(*seed, *from, *n, func(v units.Verdict) {
		if err := encode.Encode(v); err != nil {
			fmt.Fprintln(os.Stderr, "roll:", err)
		}
		if v.Wrong != "" || len(v.Unfixed) > 0 || *verbose {
			fmt.Println(v)
		}
	})
	if err != nil {
		return 0, err
	}
	fmt.Println(sums)
	return sums.Wrong(), nil
}
