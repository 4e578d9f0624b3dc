//go:build linux

package dice

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/lowport/lowport/internal/lab/box"
)

// A Count is what was found in some draws.
type Count struct {
	Draws, Unmade, NotExecuted, Refused, Boxes int
	Wrong                                      [len(Kinds)]int // draws, by the kind of what is wrong
	Any                                        int             // draws with anything wrong
	Untold                                     int             // draws in which a prediction could not tell
}

// Add counts one draw.
func (c *Count) Add(v Verdict) {
	c.Draws++
	c.Boxes += v.Boxes
	switch {
	case v.Unmade != "":
		c.Unmade++
	case v.NotExecuted:
		c.NotExecuted++
	case !v.Outcome.Bound:
		c.Refused++
	}
	if v.Untold {
		c.Untold++
	}
	if len(v.Wrong) > 0 {
		c.Any++
	}
	for i, kind := range []byte(Kinds) {
		if v.Is(kind) {
			c.Wrong[i]++
		}
	}
}

func (c Count) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "draws %d, not made %d, not executed %d, refused %d, told wrongly %d (",
		c.Draws, c.Unmade, c.NotExecuted, c.Refused, c.Any)
	for i, n := range c.Wrong {
		fmt.Fprintf(&b, "%s%c %d", map[bool]string{true: ", "}[i > 0], Kinds[i], n)
	}
	fmt.Fprintf(&b, "), predictions that could not tell %d, situations made %d", c.Untold, c.Boxes)
	return b.String()
}

// DrawNumber is draw number i of a seed.
func DrawNumber(seed uint64, i int, by string) Situation {
	return Draw(rand.New(rand.NewPCG(seed, uint64(i))), by)
}

// Each judges the situations 1, 2, … until there is none or the context ends.
func Each(ctx context.Context, m box.Maker, jobs int, get func(int) (Situation, bool), each func(int, Verdict)) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	var mu sync.Mutex
	var failed error
	known := memory{bound: make(map[string]bool)}
	for range jobs {
		workers.Go(func() {
			j := newJudge(m, &known)
			for ctx.Err() == nil {
				i := int(next.Add(1))
				s, ok := get(i)
				if !ok {
					return
				}
				v, err := j.Judge(s)
				if err != nil {
					mu.Lock()
					failed = errors.Join(failed, fmt.Errorf("draw %d: %w", i, err))
					mu.Unlock()
					return
				}
				each(i, v)
			}
		})
	}
	workers.Wait()
	return failed
}
