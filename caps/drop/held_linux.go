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
	if e := differing(threads, uneven(threads)); e != nil {
		e.Op = "drop.Held"
		return caps.State{}, e
	}
	return threads[0].State, nil
}
