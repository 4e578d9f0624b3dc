package guard

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/privport"
)

// An outcome is how the bind of a recorded machine went: the line
//
//	bind [udp/]PORT|ADDRESS:PORT ERRNO [raised]
//	bind [udp/]PORT|ADDRESS:PORT ok VIA
//
// above its record.
type outcome struct {
	udp       bool
	addr      netip.Addr // not valid: every address
	port      int
	errno     string // "" where it was allowed
	unstarted bool   // the program itself was not executed: never of a recording
	via       privport.Via
}

func (o outcome) String() string {
	where := strconv.Itoa(o.port)
	if o.addr.IsValid() {
		where = netip.AddrPortFrom(o.addr, uint16(o.port)).String()
	}
	if o.udp {
		where = "udp/" + where
	}
	switch {
	case o.errno == "":
		return fmt.Sprintf("bind %s ok %s\n", where, o.via)
	case o.via == privport.Raised:
		return fmt.Sprintf("bind %s %s raised\n", where, o.errno)
	default:
		return fmt.Sprintf("bind %s %s\n", where, o.errno)
	}
}

// parseOutcome reads the line that String writes.
func parseOutcome(line string) (outcome, error) {
	bad := fmt.Errorf("recording: %q does not say how a bind went", line)
	words := strings.Fields(line)
	if len(words) < 3 || len(words) > 4 || words[0] != "bind" {
		return outcome{}, bad
	}
	o := outcome{via: privport.Plain}
	words[1], o.udp = strings.CutPrefix(words[1], "udp/")
	port, err := strconv.ParseUint(words[1], 10, 16)
	o.port = int(port)
	if err != nil {
		where, err := netip.ParseAddrPort(words[1])
		if err != nil {
			return outcome{}, bad
		}
		o.addr, o.port = where.Addr(), int(where.Port())
	}
	if len(words) == 4 {
		o.via = privport.Via(words[3])
	}
	if o.errno = words[2]; o.errno == "ok" {
		o.errno = ""
	}
	switch o.via {
	case privport.Plain, privport.Raised, privport.Inherited, privport.Authbind:
	default:
		return outcome{}, bad
	}
	if !kernel.IsErrno(o.errno) {
		return outcome{}, bad
	}
	return o, nil
}
