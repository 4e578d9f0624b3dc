package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/cilium/ebpf/ringbuf"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/live"
)

// patience is how long a refusal waits for what the process tries next: another family, TCP
// after MPTCP, a raised capability.
const patience = 100 * time.Millisecond

// forget is for how long a situation that does not come again is remembered.
const forget = time.Hour

// mostWaiting is how many refusals wait at a time. One that comes then is reported at once.
const mostWaiting = 256

// A hearing is what run keeps.
type hearing struct {
	*watch
	out     output
	all     bool // report what came before as well
	seen    repeats
	waiting []waiting // in the order in which they came
	lost    uint64    // how many lost events were told of
}

// A waiting is a refusal that is not reported yet.
type waiting struct {
	refusal
	record facts.Record
	since  time.Time
}

// run prints reports until the watch is stopped, and so often how many times they came again. If
// every is 0 it reports each refusal, also one of a situation that was reported.
func (w *watch) run(out output, every time.Duration) error {
	h := &hearing{watch: w, out: out, all: every == 0}
	if h.all {
		every = time.Minute
	}
	next := time.Now().Add(every)
	for {
		w.events.SetDeadline(h.deadline(next))
		record, err := w.events.Read()
		now := time.Now()
		switch {
		case errors.Is(err, ringbuf.ErrClosed):
			return errors.Join(h.tell(now, 0), h.count(now))
		case errors.Is(err, os.ErrDeadlineExceeded):
			err = nil
		case err == nil:
			err = h.hear(record.RawSample, now)
		}
		if err == nil {
			err = h.tell(now, patience)
		}
		if err == nil && !now.Before(next) {
			next = now.Add(every)
			err = h.count(now)
		}
		if err != nil {
			return err
		}
	}
}

// deadline is when something is due: a count, or the end of the patience.
func (h *hearing) deadline(count time.Time) time.Time {
	if len(h.waiting) > 0 {
		if due := h.waiting[0].since.Add(patience); due.Before(count) {
			return due
		}
	}
	return count
}

// hear takes one event, and reads at once what else there is to know.
func (h *hearing) hear(event []byte, now time.Time) error {
	v, err := h.reader.parse(event)
	switch {
	case errors.Is(err, errOther) || err == nil && v.PID == os.Getpid():
		return nil
	case err != nil:
		return h.out.note("watch: a refusal is not told: " + err.Error())
	case !h.all && h.seen.again(v.key(), now):
		return nil
	}
	i := slices.IndexFunc(h.waiting, func(w waiting) bool { return w.follows(&v) })
	if i < 0 {
		h.waiting = append(h.waiting, waiting{v, v.read(), now})
		if len(h.waiting) > mostWaiting {
			return h.tellOne(now)
		}
		return nil
	}
	w := &h.waiting[i]
	v.MPTCP = v.MPTCP || w.MPTCP
	for name, item := range w.record { // of the same program, which may have ended
		if _, has := v.heard.Known[name]; !has && item.Err != live.Ended {
			v.heard.Known[name] = item
		}
	}
	w.refusal, w.record = v, v.read()
	return nil
}

// follows reports whether the next refusal is that of another attempt of the program at the
// same port.
func (w *waiting) follows(next *refusal) bool {
	same := w.heard.PID == next.heard.PID && w.heard.Started == next.heard.Started && string(w.heard.Auxv) == string(next.heard.Auxv)
	return same && w.Port == next.Port && w.protocol() == next.protocol()
}

// tell reports the refusals that have waited for so long.
func (h *hearing) tell(now time.Time, patience time.Duration) error {
	for len(h.waiting) > 0 && now.Sub(h.waiting[0].since) >= patience {
		if err := h.tellOne(now); err != nil {
			return err
		}
	}
	return nil
}

// tellOne reports the refusal that waited longest, unless the process has the port after all.
func (h *hearing) tellOne(now time.Time) error {
	w := h.waiting[0]
	h.waiting = h.waiting[1:]
	if w.hasPort() {
		return nil
	}
	r := w.explain(w.record, w.since)
	if h.out.record != "" {
		name := fmt.Sprintf("%s/%s-%d.txt", h.out.record, w.since.UTC().Format("20060102T150405.000000000"), w.PID)
		if err := os.WriteFile(name, w.recording(w.record), 0o600); err != nil {
			return err
		}
	}
	if !h.all {
		h.seen.add(w.key(), r, now)
	}
	return h.out.report(r)
}

// count prints which situations came again, and how many events were lost.
func (h *hearing) count(now time.Time) error {
	for _, r := range h.seen.counted(now, forget) {
		if err := h.out.again(r); err != nil {
			return err
		}
	}
	var number [8]byte
	if _, err := h.missed.ReadAt(number[:], 0); err != nil {
		return err
	}
	if lost := word(number[:], 0); lost > h.lost {
		more := lost - h.lost
		h.lost = lost
		return h.out.note(fmt.Sprintf("watch: %d refusals came too fast and are not told", more))
	}
	return nil
}
