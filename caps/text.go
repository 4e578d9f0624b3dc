package caps

// The three sets of a clause's flags; a number from 0 to 7 combines them.
const (
	flagE = 1 << iota
	flagP
	flagI
)

// flagText is how cap_to_text(3) writes each combination.
var flagText = [8]string{"", "e", "p", "ep", "i", "ei", "ip", "eip"}

// AppendText appends the effective, permitted and inheritable sets of s in the
// form of cap_text(3), byte for byte as getpcaps and getcap print it where the
// kernel's last capability is [Last]: "cap_net_bind_service=ep", "=ep
// cap_sys_admin-e", and "=" where nothing is held.
func AppendText(b []byte, s State) []byte {
	var with [8]Set // with[t] has exactly the flags t
	for t := range with {
		with[t] = pick(s.Effective, t&flagE) & pick(s.Permitted, t&flagP) & pick(s.Inheritable, t&flagI)
	}

	// The background is what most named capabilities have; least wins a tie.
	named, m := UpTo(Last), 0
	for t := range with {
		if (with[t] & named).Len() > (with[m] & named).Len() {
			m = t
		}
	}
	start := len(b)
	b = append(b, '=')
	b = append(b, flagText[m]...)
	for t := 7; t >= 0; t-- {
		list := with[t] & named
		if t == m || list == 0 {
			continue
		}
		plus := byte('+')
		if len(b) == start+1 { // "= x+p" is "x=p"
			b, plus = b[:start], '='
		} else {
			b = append(b, ' ')
		}
		b = list.appendNames(b)
		if up := t &^ m; up != 0 {
			b = append(b, plus)
			b = append(b, flagText[up]...)
		}
		if down := m &^ t; down != 0 {
			b = append(b, '-')
			b = append(b, flagText[down]...)
		}
	}
	for t := 7; t > 0; t-- { // the background is for named ones alone
		if list := with[t] &^ named; list != 0 {
			b = append(b, ' ')
			b = list.appendNames(b)
			b = append(b, '+')
			b = append(b, flagText[t]...)
		}
	}
	return b
}

func pick(s Set, yes int) Set {
	if yes != 0 {
		return s
	}
	return ^s
}

// FormatText returns what [AppendText] appends.
func FormatText(s State) string {
	var room [roomForText]byte
	return string(AppendText(room[:0], s))
}

// ParseText reads the form of cap_text(3) as setcap reads it, in the old
// ("cap_net_raw+ep") and the new style, into the effective, permitted and
// inheritable sets of a State; the rest of it is zero. Names may be in any
// case and need their "cap_"; numbers are as in C, up to 63. "all", and an
// empty list before "=", stand for every capability up to [Last]. As in C, a
// clause changes only the capabilities it lists, and the empty text is the
// empty sets. Unlike in C, "41,all" keeps 41. The error is a [*ParseError].
func ParseText(text string) (State, error) {
	var s State
	p := textParser{form: "cap_text", text: text}
	for {
		for p.i < len(text) && isSpace(text[p.i]) {
			p.i++
		}
		if p.i == len(text) {
			return s, nil
		}
		if err := p.clause(&s); err != nil {
			return State{}, err
		}
	}
}

type textParser struct {
	form, text string
	i          int
}

// at returns the byte i is at, or 0 at the end.
func (p *textParser) at() byte {
	if p.i < len(p.text) {
		return p.text[p.i]
	}
	return 0
}

func (p *textParser) bad(problem string) error { return bad(p.form, p.text, p.i, problem) }

// clause reads [list]op[flags][op flags]…, up to white space or the end.
func (p *textParser) clause(s *State) error {
	listed := !isOp(p.at())
	list := UpTo(Last)
	if listed {
		var err error
		if list, err = p.list(); err != nil {
			return err
		}
	}
	op := p.at()
	if !isOp(op) {
		return p.bad("want =, + or - after the names")
	}
	if op != '=' && !listed {
		return p.bad("want names before + or -")
	}
	p.i++
	if op == '=' {
		s.Effective, s.Permitted, s.Inheritable = s.Effective&^list, s.Permitted&^list, s.Inheritable&^list
		if next := p.at(); next == '+' || next == '-' {
			if !listed {
				return p.bad("want names before = and another operator")
			}
			op = next
			p.i++
		}
	}
	for {
		start := p.i
		flags := p.flags()
		if p.i == start && op != '=' {
			return p.bad("want one of e, i, p")
		}
		e, q, i := list&on(flags, flagE), list&on(flags, flagP), list&on(flags, flagI)
		if op == '-' {
			s.Effective, s.Permitted, s.Inheritable = s.Effective&^e, s.Permitted&^q, s.Inheritable&^i
		} else {
			s.Effective, s.Permitted, s.Inheritable = s.Effective|e, s.Permitted|q, s.Inheritable|i
		}
		op = p.at()
		switch {
		case op == 0 && p.i == len(p.text) || isSpace(op):
			return nil
		case (op == '+' || op == '-') && listed:
			p.i++
		case op == '+' || op == '-':
			return p.bad("want names before a second operator")
		default:
			return p.bad("want one of e, i, p")
		}
	}
}

func isOp(c byte) bool { return c == '=' || c == '+' || c == '-' }

// on returns the full set if flags has flag, else the empty one.
func on(flags, flag int) Set {
	if flags&flag != 0 {
		return ^Set(0)
	}
	return 0
}

func (p *textParser) flags() (flags int) {
	for ; ; p.i++ {
		switch p.at() {
		case 'e':
			flags |= flagE
		case 'p':
			flags |= flagP
		case 'i':
			flags |= flagI
		default:
			return flags
		}
	}
}

// list reads names, numbers and "all", joined by commas.
func (p *textParser) list() (Set, error) {
	var s Set
	for {
		t, err := p.one(true)
		if err != nil {
			return 0, err
		}
		s |= t
		if p.at() != ',' {
			return s, nil
		}
		p.i++
	}
}

// one reads a name that cap_from_name(3) knows, a number, or "all" if that
// may stand here.
func (p *textParser) one(all bool) (Set, error) {
	start := p.i
	if isDigit(p.at()) {
		c, ok := p.number()
		if !ok {
			p.i = start
			return 0, p.bad("not a number from 0 to 63")
		}
		return 1 << c, nil
	}
	for c := p.at(); 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'; c = p.at() {
		p.i++
	}
	name := p.text[start:p.i]
	if len(name) > 4 && name[3] == '_' && name[0]|0x20 == 'c' && name[1]|0x20 == 'a' && name[2]|0x20 == 'p' {
		if c, ok := byName(name[4:]); ok {
			return 1 << c, nil
		}
	}
	if s, ok := lookupSet(name); ok && all && len(name) == 3 { // no name is as short
		return s, nil
	}
	return 0, noSuchName(p.form, p.text, start, name)
}

// number reads as strtoul(3) does with base 0: 0x for hex, 0 for octal.
func (p *textParser) number() (Cap, bool) {
	base := Set(10)
	if p.at() == '0' {
		base = 8
		if rest := p.text[p.i:]; len(rest) > 2 && rest[1]|0x20 == 'x' {
			if _, hex := hexDigit(rest[2]); hex {
				base, p.i = 16, p.i+2
			}
		}
	}
	n := Set(0)
	for {
		d, ok := hexDigit(p.at())
		if !ok || d >= base {
			return Cap(n), n < 64
		}
		if n < 64 { // else it is too large, and stays so
			n = n*base + d
		}
		p.i++
	}
}
