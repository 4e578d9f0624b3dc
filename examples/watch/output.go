package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"

	"go.opentelemetry.io/otel/log"
)

// An output is where reports go, and in which form.
type output struct {
	file    *os.File
	json    bool
	record  string     // a folder for recordings; "" for none
	logs    log.Logger // of OpenTelemetry; nil for none
	journal bool       // the file is the journal's: each line gets a priority, see sd-daemon(3)
}

// newOutput prints to a file: as JSON, if asked, or as text.
func newOutput(f *os.File, asJSON bool) output {
	return output{file: f, json: asJSON, journal: isJournal(f, os.Getenv("JOURNAL_STREAM"))}
}

// isJournal reports whether a file is the stream to the journal that JOURNAL_STREAM names by
// device and inode, see systemd.exec(5).
func isJournal(f *os.File, stream string) bool {
	info, err := f.Stat()
	if err != nil || stream == "" {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && stream == fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}

// report prints a report.
func (o output) report(r *report) error {
	if o.logs != nil {
		o.logs.Emit(context.Background(), r.logRecord())
	}
	if o.json {
		return o.object(r)
	}
	if o.journal {
		return o.text("<3>", r.Report.String())
	}
	if err := r.Report.Print(o.file); err != nil {
		return err
	}
	_, err := o.file.WriteString("\n")
	return err
}

// again prints how often a situation came again.
func (o output) again(r repeat) error {
	if o.logs != nil {
		o.logs.Emit(context.Background(), r.logRecord())
	}
	if !o.json {
		return o.text("<4>", r.line()+"\n")
	}
	counted := *r.first
	counted.Time, counted.Again, counted.Report = r.last, r.again, nil
	return o.object(&counted)
}

// note prints one line that is about the watch itself.
func (o output) note(line string) error {
	if o.json {
		fmt.Fprintln(os.Stderr, line)
		return nil
	}
	return o.text("<5>", line+"\n")
}

func (o output) object(r *report) error {
	e := json.NewEncoder(o.file)
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// text prints lines, for the journal with their priority.
func (o output) text(priority, text string) error {
	if o.journal {
		var b strings.Builder
		for line := range strings.Lines(text) {
			b.WriteString(priority + line)
		}
		text = b.String()
	}
	_, err := o.file.WriteString(text)
	return err
}
