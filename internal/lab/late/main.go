// Late is a program that binds late: where LATE names a file, it waits until
// that file is there. So a scenario can change the machine between the start
// of the program and its bind. Otherwise it is like examples/doctor, but of several
// addresses it binds all or none, and has one report.
package main

import (
	"context"
	"os"
	"time"

	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/internal/lab/standin"
)

func main() {
	asJSON, args := standin.Args("late [-json] ADDRESS...", func(args []string) bool { return len(args) > 0 })
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
	standin.End(asJSON, r, err)
}
