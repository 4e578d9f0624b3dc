package ask

import (
	"fmt"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/privport"
)

// SocketLine returns the change of a .socket unit after which it passes what was asked for.
func SocketLine(m privport.Mismatch) report.Fix {
	network, address := m.Offer.Asks()
	return report.Fix{
		ID: "socket-line", Scope: "unit", Summary: "have the .socket unit pass what the program asks for",
		Lasts: "as long as the unit says so", Depends: "if a .socket unit passed " + network + " " + address,
		Steps: []report.Step{{
			Edit:    fmt.Sprintf("the .socket unit, instead of its line for port %d", m.Offer.Addr.Port()),
			Content: "[Socket]\n" + strings.ReplaceAll(m.Lines, " and ", "\n") + "\n",
		}},
	}
}
