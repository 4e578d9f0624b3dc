package drop

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/lowport/lowport/caps"
)

// differing returns an [Error] with the threads for which how has an answer,
// and nil where there are none.
func differing(threads []thread, how func(thread) string) *Error {
	var e Error
	for _, t := range threads {
		if h := how(t); h != "" {
			e.Threads = append(e.Threads, Thread{t.tid, t.State, h})
		}
	}
	if e.Threads == nil {
		return nil
	}
	return &e
}

// refused is for what the kernel would answer with EPERM, before it is asked.
func refused(e *Error) error {
	if e == nil {
		return nil
	}
	e.Err = syscall.EPERM
	return e
}

// readBack looks at every thread again, until none differs. One that was ending
// when the others were changed is in /proc a moment longer, though the Go
// runtime and libpsx know it no more; one that stays is an error.
func readBack(how func(thread) string) error {
	for wait := 0; ; wait++ {
		threads, err := look()
		if err != nil {
			return err
		}
		e := differing(threads, how)
		if e == nil {
			return nil
		}
		if wait == 500 {
			return e
		}
		time.Sleep(time.Millisecond)
	}
}

// contrast says how one state differs from the wanted one: "effective has
// cap_net_raw, no_new_privs is not set".
func contrast(got, want caps.State) string {
	var how []string
	for _, s := range [...]struct {
		name      string
		got, want caps.Set
	}{
		{"inheritable", got.Inheritable, want.Inheritable},
		{"permitted", got.Permitted, want.Permitted},
		{"effective", got.Effective, want.Effective},
		{"bounding", got.Bounding, want.Bounding},
		{"ambient", got.Ambient, want.Ambient},
	} {
		if more := s.got &^ s.want; more != 0 {
			how = append(how, s.name+" has "+few(more))
		}
		if less := lacking(s.name, s.got, s.want); less != "" {
			how = append(how, less)
		}
	}
	switch {
	case got.NoNewPrivs && !want.NoNewPrivs:
		how = append(how, "no_new_privs is set")
	case want.NoNewPrivs && !got.NoNewPrivs:
		how = append(how, "no_new_privs is not set")
	}
	return strings.Join(how, ", ")
}

// lacking says what a set lacks of the wanted one: "permitted lacks cap_setuid".
func lacking(name string, got, want caps.Set) string {
	if less := want &^ got; less != 0 {
		return name + " lacks " + few(less)
	}
	return ""
}

// few names the capabilities of a set, unless they are too many to read.
func few(s caps.Set) string {
	if s.Len() > 4 {
		return fmt.Sprintf("%d capabilities (%s)", s.Len(), s.Hex())
	}
	return s.String()
}
