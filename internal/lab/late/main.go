// Late is a program that binds late: where LATE names a file, it waits until
// that file is there. So a scenario can change the machine between the start
// of the program and its bind. Otherwise it is like examples/doctor, but of several
// addresses it binds all or none, and has one report.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lowport/lowport/guard"
)

func main() {
	args := os.Args[1:]
	asJSON := len(args) > 0 && args[0] == "-json"
	if asJSON {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: late [-json] ADDRESS...")
		os.Exit(64)
	}
	if file := os.Getenv("LATE"); file != "" {
		for {
			if _, err := os.Stat(file); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	var r guard.Report
	_, err := guard.BindAll(context.Background(), args, guard.ReportTo(&r))
	switch {
	case asJSON:
		if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
			fmt.Fprintln(os.Stderr, "late:", err)
			os.Exit(74)
		}
	case err != nil:
		fmt.Print(r)
	}
	var refused *guard.Error
	if errors.As(err, &refused) {
		os.Exit(refused.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "late:", err)
		os.Exit(1)
	}
}
