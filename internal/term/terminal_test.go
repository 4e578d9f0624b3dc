package term

import (
	"os"
	"strings"
	"testing"
)

// What is no terminal gets no style and 80 columns.
func TestNoTerminal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if got := Of(w); got != Plain {
		t.Errorf("%+v", got)
	}
}

// Statements that are longer than the line are wrapped, and nothing else is broken.
func TestColumnsNarrow(t *testing.T) {
	var b strings.Builder
	rows := []Row{
		{"CapPrm 0000000000000000 lacks cap_net_bind_service", "/proc/thread-self/status"},
		{"Seccomp 0: no filter", "status"},
	}
	Terminal{Width: 40}.Columns(&b, rows)
	const want = `  CapPrm 0000000000000000 lacks
    cap_net_bind_service
      /proc/thread-self/status
  Seccomp 0: no filter  status
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}
