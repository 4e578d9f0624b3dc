//go:build linux

// Roll rolls the dice of package dice, as root:
//
//	roll [-n N] [-seed S] [-by shell|unit] [-j JOBS] [-o FILE]
//	roll -pairs [-j JOBS] [-o FILE]
//	roll [-v] [-shrink] SITUATION...
//
// It draws N situations, or until it is interrupted, and prints those of which something wrong
// was said, each with its number; the draw N of a seed is always the same. In FILE it leaves
// the same as one JSON object a line. A SITUATION, as "file=none nnp=later", is judged alone. With
// -shrink what is wrong is reduced to the fewest knobs and printed as a scenario of the lab, of
// each kind once.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/lowport/lowport/internal/lab/box"
	"github.com/lowport/lowport/internal/lab/dice"
)

var (
	n       = flag.Int("n", 0, "how many situations to draw; without end if 0")
	seed    = flag.Uint64("seed", 0, "what they are drawn from; random if 0")
	pairs   = flag.Bool("pairs", false, "take the fixed set of all pairs of values instead")
	by      = flag.String("by", "shell", "what starts the program: shell or unit")
	jobs    = flag.Int("j", 2, "how many are made at a time")
	into    = flag.String("o", "", "append the verdicts to this `file`")
	shrink  = flag.Bool("shrink", false, "reduce what is wrong to the fewest knobs")
	verbose = flag.Bool("v", false, "print the scripts, the report and what else was said")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "roll:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "dice-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	maker, err := dice.Build(dir)
	if err != nil {
		return err
	}
	if flag.NArg() > 0 {
		for _, text := range flag.Args() {
			s, err := dice.ParseSituation(text)
			if err != nil {
				return err
			}
			if err := alone(dice.NewJudge(maker), s); err != nil {
				return err
			}
		}
		return nil
	}
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Printf("seed %d\n", *seed)
	var out *os.File
	if *into != "" {
		if out, err = os.OpenFile(*into, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
			return err
		}
		defer out.Close()
	}
	count, err := draws(ctx, maker, out)
	fmt.Println(count)
	return err
}

// alone judges one situation.
func alone(j *dice.Judge, s dice.Situation) error {
	v, err := j.Judge(s)
	if err != nil {
		return err
	}
	show(0, v)
	if !*shrink {
		return nil
	}
	printed := make(map[string]bool)
	for _, kind := range []byte(dice.Kinds) {
		if !v.Is(kind) {
			continue
		}
		small, err := j.Shrink(v, kind)
		if err != nil {
			return err
		}
		if text := small.Script(); !printed[text] {
			printed[text] = true
			fmt.Print("\n", text)
		}
	}
	return nil
}

// draws rolls until all are drawn or it is interrupted.
func draws(ctx context.Context, maker box.Maker, out *os.File) (dice.Count, error) {
	var count dice.Count
	var mu sync.Mutex
	var failed error
	get := func(i int) (dice.Situation, bool) { return dice.DrawNumber(*seed, i, *by), *n == 0 || i <= *n }
	if *pairs {
		fixed := dice.Pairs()
		get = func(i int) (dice.Situation, bool) {
			if i > len(fixed) {
				return nil, false
			}
			return fixed[i-1], true
		}
	}
	err := dice.Each(ctx, maker, *jobs, get, func(number int, v dice.Verdict) {
		mu.Lock()
		defer mu.Unlock()
		count.Add(v)
		if len(v.Wrong) > 0 {
			show(number, v)
		}
		if out != nil {
			failed = errors.Join(failed, json.NewEncoder(out).Encode(line(number, v)))
		}
	})
	return count, errors.Join(err, failed)
}

// A verdict is a line of the file.
type verdict struct {
	Seed      uint64   `json:"seed"`
	Number    int      `json:"number"`
	Situation string   `json:"situation"`
	Unmade    string   `json:"unmade,omitempty"`
	Errno     string   `json:"errno,omitempty"`
	Causes    []string `json:"causes,omitempty"`
	Wrong     []string `json:"wrong,omitempty"`
}

func line(number int, v dice.Verdict) verdict {
	l := verdict{Seed: *seed, Number: number, Situation: v.Situation.String(), Unmade: v.Unmade, Errno: v.Outcome.Report.Errno}
	for _, c := range v.Outcome.Report.Causes {
		l.Causes = append(l.Causes, c.ID+" ("+c.Certainty+")")
	}
	for _, w := range v.Wrong {
		l.Wrong = append(l.Wrong, w.String())
	}
	return l
}

func show(number int, v dice.Verdict) {
	fmt.Printf("\n#%d [%s]\n", number, v.Situation)
	switch {
	case v.Unmade != "":
		fmt.Println("not made:", v.Unmade)
	case v.NotExecuted:
		fmt.Println("not executed")
	case v.Outcome.Bound:
		fmt.Println("bound", v.Outcome.Report.Via)
	default:
		l := line(number, v)
		fmt.Printf("%s %q\n", l.Errno, l.Causes)
	}
	for _, w := range v.Wrong {
		fmt.Println(w)
	}
	if *verbose {
		fmt.Println(v.Script())
		fmt.Println(v.Outcome.Said.Text)
		gates, _ := json.Marshal(v.Outcome.Report.Gates)
		fmt.Println(string(gates))
	}
}
