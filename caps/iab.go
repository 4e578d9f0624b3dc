package caps

// An IAB is the three sets of cap_iab(3), which decide what an ordinary
// program holds after execve(2): what is inheritable, what is ambient, and
// what is blocked, that is, missing from the bounding set.
type IAB struct {
	Inheritable, Ambient, Blocked Set
}

// IAB returns the inheritable and ambient sets of s and what its bounding set
// lacks of the capabilities up to last, the kernel's cap_last_cap.
func (s State) IAB(last Cap) IAB {
	return IAB{Inheritable: s.Inheritable, Ambient: s.Ambient, Blocked: UpTo(last) &^ s.Bounding}
}

// AppendText appends the text form of cap_iab(3), as getpcaps --iab and capsh
// print it: names joined by commas, after "!" if blocked, "^" if ambient, and
// "%" if inheritable as well as blocked. A capability without a name is a
// number; libcap leaves those out. The error is always nil.
func (v IAB) AppendText(b []byte) ([]byte, error) {
	first := true
	for c := range (v.Inheritable | v.Ambient | v.Blocked).All() {
		if !first {
			b = append(b, ',')
		}
		first = false
		if v.Blocked.Has(c) {
			b = append(b, '!')
		}
		if v.Ambient.Has(c) {
			b = append(b, '^')
		} else if v.Blocked.Has(c) && v.Inheritable.Has(c) {
			b = append(b, '%')
		}
		b = c.append(b)
	}
	return b, nil
}

// String returns what [IAB.AppendText] appends.
func (v IAB) String() string {
	var room [roomForText]byte
	b, _ := v.AppendText(room[:0])
	return string(b)
}

// ParseIAB reads the text form of cap_iab(3). What is ambient is inheritable
// too. Names need their "cap_"; numbers are as in C, up to 63. Unlike libcap
// it refuses marks without a name. The error is a [*ParseError].
func ParseIAB(text string) (IAB, error) {
	var v IAB
	p := textParser{form: "IAB", text: text}
	for p.i < len(text) {
		var blocked, inheritable, ambient bool
	marks:
		for ; ; p.i++ {
			switch p.at() {
			case '!':
				blocked = true
			case '%':
				inheritable = true
			case '^':
				ambient = true
			default:
				break marks
			}
		}
		s, err := p.one(false)
		if err != nil {
			return IAB{}, err
		}
		if blocked {
			v.Blocked |= s
		}
		if inheritable || ambient || !blocked {
			v.Inheritable |= s
		}
		if ambient {
			v.Ambient |= s
		}
		if p.i == len(text) {
			break
		}
		if text[p.i] != ',' {
			return IAB{}, p.bad("want a comma between capabilities")
		}
		p.i++
	}
	return v, nil
}
