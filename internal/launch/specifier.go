package launch

import (
	"fmt"
	"path"
	"strings"
)

// expand puts in the specifiers of systemd.unit(5) that depend on the unit's name and on
// its manager. An unknown letter or digit is an error, as for systemd, and any other character
// stays as it is (specifier_printf, POSSIBLE_SPECIFIERS). Of others it is an *unexpandable,
// since they are of the machine that will start the unit, or need an instance.
func (u *Unit) expand(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		value, err := u.specifier(s[i])
		if err != nil {
			return "", fmt.Errorf("%s: %q: %w", u.Name, s, err)
		}
		b.WriteString(value)
	}
	return b.String(), nil
}

// unexpandable is the error of a specifier that cannot be put in beforehand.
type unexpandable struct{ why string }

func (e *unexpandable) Error() string { return e.why }

// specifier is what stands for %c.
func (u *Unit) specifier(c byte) (string, error) {
	ext := path.Ext(u.Name)
	stem := strings.TrimSuffix(u.Name, ext)
	prefix, instance, templated := strings.Cut(stem, "@")
	last := prefix[strings.LastIndexByte(prefix, '-')+1:]
	switch c {
	case 'i', 'I', 'f', 'n', 'N':
		if templated && instance == "" {
			return "", &unexpandable{fmt.Sprintf("%%%c depends on the instance of the template: name one, as in %s@NAME%s", c, prefix, ext)}
		}
	}
	switch c {
	case '%':
		return "%", nil
	case 'n':
		return u.Name, nil
	case 'N':
		return stem, nil
	case 'p':
		return prefix, nil
	case 'P':
		return unescapeName(prefix), nil
	case 'i':
		return instance, nil
	case 'I':
		return unescapeName(instance), nil
	case 'j':
		return last, nil
	case 'J':
		return unescapeName(last), nil
	case 'f':
		if templated {
			return "/" + strings.TrimLeft(unescapeName(instance), "/"), nil
		}
		return "/" + unescapeName(prefix), nil
	}
	if dir, ok := u.directory(c); ok {
		return dir, nil
	}
	if strings.IndexByte("aAbBcCdDEgGhHlLmMoqrRsStTuUvVwWyY", c) >= 0 {
		return "", &unexpandable{fmt.Sprintf("what %%%c stands for depends on the machine and the manager, and is not looked at", c)}
	}
	if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
		return "", fmt.Errorf("%%%c is no specifier; a %% that stands for itself is %%%%", c)
	}
	return "%" + string([]byte{c}), nil
}

// directory is what stands for the folders of the system manager, and root's own.
func (u *Unit) directory(c byte) (string, bool) {
	if u.User {
		return "", false
	}
	dirs := map[byte]string{'C': "/var/cache", 'E': "/etc", 'L': "/var/log", 'S': "/var/lib", 't': "/run", 'T': "/tmp", 'V': "/var/tmp",
		'u': "root", 'U': "0", 'g': "root", 'G': "0", 'h': "/root"}
	dir, ok := dirs[c]
	return dir, ok
}

// unescapeName undoes the escapes of unit names (unit_name_unescape): "-" stands for
// "/", and "\xHH" for a byte.
func unescapeName(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		var c byte
		switch {
		case s[i] == '-':
			b.WriteByte('/')
		case strings.HasPrefix(s[i:], `\x`) && len(s) >= i+4:
			if _, err := fmt.Sscanf(s[i+2:i+4], "%02x", &c); err == nil {
				b.WriteByte(c)
				i += 3
				continue
			}
			fallthrough
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
