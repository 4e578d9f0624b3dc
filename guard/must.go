package guard

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/exit"
)

// must ends the program on a refusal.
func must(err error, opts ...Option) {
	if err == nil {
		return
	}
	var refused *Error
	if !errors.As(err, &refused) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exit.Unavailable)
	}
	tell := writeReport
	if o := ask.With(opts); o.Refused != nil {
		tell = o.Refused
	}
	tell(refused)
	os.Exit(refused.ExitCode())
}

// writeReport writes the report to standard error. If that is the journal, each line gets
// the priority of an error, see sd-daemon(3).
func writeReport(e *Error) {
	if isJournal(os.Stderr, os.Getenv("JOURNAL_STREAM")) {
		io.WriteString(os.Stderr, prioritized(e.Report.String()))
		return
	}
	_ = e.Report.Print(os.Stderr) // where else should it be told?
}

// prioritized marks each line as an error for the journal.
func prioritized(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("<3>" + line)
	}
	return b.String()
}

// terminationLog is where Kubernetes looks for the reason that a container ended:
// terminationMessagePath of a container, unless the pod names another file. The kubelet
// reads so many bytes of it.
const (
	terminationLog     = "/dev/termination-log"
	terminationMessage = 4096
)

// TerminationLog writes the report to standard error, and as much of it as Kubernetes
// shows in the status of the pod (`kubectl describe pod`) to /dev/termination-log, if
// that is there. It is for [OnRefusal]:
//
//	ln := guard.MustBind(":443", guard.OnRefusal(guard.TerminationLog))
func TerminationLog(e *Error) {
	writeReport(e)
	f, err := os.OpenFile(terminationLog, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return // no container of Kubernetes, or its status is closed to this user
	}
	_, err = f.Write(fitting([]byte(e.Report.String()), terminationMessage))
	if err = errors.Join(err, f.Close()); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// fitting returns as many whole lines of text as fit into so many bytes.
func fitting(text []byte, most int) []byte {
	if len(text) <= most {
		return text
	}
	return text[:bytes.LastIndexByte(text[:most], '\n')+1]
}
