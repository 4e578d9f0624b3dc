package term

import (
	"fmt"
	"testing"

	"github.com/lowport/lowport/internal/term/termtest"
)

func TestTerminal(t *testing.T) {
	for _, c := range []struct {
		columns   uint16
		env, word string
		want      Terminal
	}{
		{120, "TERM", "xterm", Terminal{120, true}},
		{20, "TERM", "xterm", Terminal{40, true}},
		{0, "TERM", "xterm", Terminal{80, true}},
		{100, "TERM", "dumb", Terminal{100, false}},
		{100, "NO_COLOR", "1", Terminal{100, false}},
	} {
		t.Run(fmt.Sprint(c.columns, c.env, c.word), func(t *testing.T) {
			t.Setenv("NO_COLOR", "")
			t.Setenv("TERM", "xterm")
			t.Setenv(c.env, c.word)
			_, slave := termtest.Pty(t, c.columns)
			if got := Of(slave); got != c.want {
				t.Errorf("%+v, not %+v", got, c.want)
			}
		})
	}
}
