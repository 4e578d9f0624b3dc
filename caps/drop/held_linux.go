package drop

import (
	"fmt"

	"github.com/lowport/lowport/caps"
)

func held() (caps.State, error) {
	threads, err := look()
	if err != nil {
		return caps.State{}, fmt.Errorf("drop.Held: %w", err)
	}
	first := threads[0].State
	if e := differing(threads, func(t thread) string { return contrast(t.State, first) }); e != nil {
		e.Op = "drop.Held"
		return caps.State{}, e
	}
	return first, nil
}
