package main

import (
	"slices"
	"time"
)

// most is how many situations are remembered.
const most = 1024

// Repeats tells a situation that was reported from a new one. A program that tries again
// and again, or is started again and again, gives one report and a count.
type repeats struct {
	known map[string]*repeat
}

// A repeat is a situation that was reported.
type repeat struct {
	first *report
	last  time.Time
	again int // how often it came again since that was said last
}

// again reports whether a situation was reported before, and counts it.
func (r *repeats) again(key string, now time.Time) bool {
	was, ok := r.known[key]
	if ok {
		was.again++
		was.last = now
	}
	return ok
}

// add remembers a report. It forgets the situation that was not seen for the longest time if
// there are too many.
func (r *repeats) add(key string, first *report, now time.Time) {
	if r.known == nil {
		r.known = map[string]*repeat{}
	}
	if len(r.known) >= most {
		oldest := ""
		for k, v := range r.known {
			if oldest == "" || v.last.Before(r.known[oldest].last) {
				oldest = k
			}
		}
		delete(r.known, oldest)
	}
	r.known[key] = &repeat{first: first, last: now}
}

// counted returns the situations that came again, and begins to count anew. It forgets those
// that were not seen for as long as keep.
func (r *repeats) counted(now time.Time, keep time.Duration) (all []repeat) {
	for k, v := range r.known {
		if v.again > 0 {
			all = append(all, *v)
			v.again = 0
		} else if now.Sub(v.last) >= keep {
			delete(r.known, k)
		}
	}
	slices.SortFunc(all, func(a, b repeat) int { return a.last.Compare(b.last) })
	return all
}
