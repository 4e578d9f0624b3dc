package main

import (
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/internal/term"
)

var decided = guard.Report{
	Facts: []guard.Fact{
		{Name: "CapInh", Value: "0000000000000000", State: "known"},
		{Name: "CapPrm", Value: "0000000000000400", State: "known"},
		{Name: "CapEff", State: "unreadable"},
		{Name: "CapBnd", Value: caps.UpTo(caps.Last).Hex(), State: "known"},
		{Name: "CapAmb", Value: caps.UpTo(caps.Last).Without(caps.SYS_RESOURCE).Hex(), State: "known"},
	},
	Gates: []guard.Gate{
		{Name: "port", Question: "Is the port at or above ip_unprivileged_port_start?", Answer: "no"},
		{Name: "permitted", Question: "Is cap_net_bind_service permitted?", Answer: "yes"},
		{Name: "namespace", Question: "Does it count?", Answer: "no"},
		{Name: "free", Question: "Is the port free?", Answer: "could not tell"},
	},
}

func TestTable(t *testing.T) {
	const want = `inheritable  0000000000000000  none
permitted    0000000000000400  cap_net_bind_service
effective                      could not tell
bounding     000001ffffffffff  all
ambient      000001fffeffffff  all but cap_sys_resource

port         no              Is the port at or above ip_unprivileged_port_start?
permitted    yes             Is cap_net_bind_service permitted?
namespace    no              Does it count?
free         could not tell  Is the port free?
`
	if got := table(decided, term.Plain); got != want {
		t.Errorf("%s", got)
	}
	for l := range strings.Lines(table(decided, term.Terminal{Width: 50})) {
		if n := len([]rune(strings.TrimSuffix(l, "\n"))); n > 50 {
			t.Errorf("%d columns: %s", n, l)
		}
	}
	coloured := table(decided, term.Terminal{Width: 80, Styled: true})
	if plain := strings.NewReplacer(red, "", green, "", "\x1b[0m", "").Replace(coloured); plain != want || strings.Count(coloured, red+"no\x1b[0m") != 1 || !strings.Contains(coloured, "port         no ") {
		t.Errorf("%q", coloured)
	}
}
