package guard

import (
	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/live"
)

// machine reads of this machine what a report about the requests rests on.
func machine(about []ask.Request) facts.Facts {
	var binds []live.Bind
	for _, r := range about {
		binds = append(binds, live.Bind{Network: r.Network, Addr: ask.RefusedAddr(r.Err), Port: r.Target.Port})
	}
	return live.ReadFor(binds...).Facts()
}
