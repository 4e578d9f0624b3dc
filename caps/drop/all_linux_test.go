package drop_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
	"github.com/lowport/lowport/internal/needs"
)

var children = map[string]func() error{
	"all": func() error {
		lockThreads(20)
		if err := drop.All(); err != nil {
			return err
		}
		if err := everyThread(empty); err != nil {
			return err
		}
		return drop.All() // a second time
	},
	"all at once": func() error {
		lockThreads(20)
		var wg sync.WaitGroup
		errs := make([]error, 20)
		for i := range errs {
			wg.Go(func() { errs[i] = drop.All() })
		}
		wg.Wait()
		return errors.Join(append(errs, everyThread(empty))...)
	},
	"bounding emptied": func() error {
		if err := drop.All(); err != nil {
			return err
		}
		return everyThread(func(s caps.State) bool { return s.Bounding == 0 })
	},
	"bounding moot": func() error {
		before, err := caps.Self()
		if err != nil {
			return err
		}
		if before.Bounding == 0 {
			return fmt.Errorf("nothing to test: %+v", before)
		}
		if err := drop.All(); err != nil {
			return err
		}
		return everyThread(func(s caps.State) bool { return s.Bounding == before.Bounding && s.NoNewPrivs })
	},
}

// empty is what All leaves behind.
func empty(s caps.State) bool {
	return s.Inheritable|s.Permitted|s.Effective|s.Ambient == 0 && s.NoNewPrivs
}

func TestAll(t *testing.T) {
	ok(t, child(t, "all"))
	ok(t, child(t, "all at once"))
}

func TestAllBounding(t *testing.T) {
	needs.Root(t, "setpriv")
	ok(t, child(t, "bounding emptied"))
	ok(t, child(t, "bounding moot", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"))
	ok(t, child(t, "bounding moot", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
		"--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service", "--"))
	ok(t, child(t, "bounding emptied", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
		"--inh-caps=+setpcap,+net_raw", "--ambient-caps=+setpcap,+net_raw", "--"))
}
