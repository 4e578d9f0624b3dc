package main

import (
	"fmt"
	"testing"
	"time"
)

// What comes again is counted, and what did not come for long is forgotten.
func TestRepeats(t *testing.T) {
	var r repeats
	start := time.Unix(0, 0)
	if r.again("a", start) {
		t.Error("known before it came")
	}
	r.add("a", &report{PID: 1}, start)
	for i := range 3 {
		if !r.again("a", start.Add(time.Duration(i)*time.Second)) {
			t.Error("not known")
		}
	}
	all := r.counted(start.Add(time.Minute), time.Hour)
	if len(all) != 1 || all[0].again != 3 || all[0].first.PID != 1 || !all[0].last.Equal(start.Add(2*time.Second)) {
		t.Errorf("%+v", all)
	}
	if all := r.counted(start.Add(2*time.Minute), time.Hour); len(all) != 0 || len(r.known) != 1 {
		t.Errorf("counted twice, or forgotten: %+v", all)
	}
	if r.counted(start.Add(2*time.Hour), time.Hour); len(r.known) != 0 || r.again("a", start) {
		t.Error("not forgotten")
	}
}

// Memory is bounded: what was not seen for the longest time goes first.
func TestRepeatsBounded(t *testing.T) {
	var r repeats
	now := time.Unix(0, 0)
	for i := range most + 10 {
		now = now.Add(time.Second)
		r.add(fmt.Sprint(i), &report{}, now)
		r.again("0", now)
	}
	if len(r.known) != most || !r.again("0", now) || r.again("1", now) || !r.again(fmt.Sprint(most), now) {
		t.Errorf("%d are remembered", len(r.known))
	}
}
