package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/lowport/lowport/caps"
)

// A set is one that a text holds; name says which of several.
type set struct {
	name string
	caps caps.Set
}

// decoded prints the sets of a text: as capsh --decode does, and in the other notations.
func (c *command) decoded() int {
	sets, err := decode(c.decode)
	if err != nil {
		return failed(usageError, err)
	}
	if c.json {
		all := map[string]caps.Set{}
		for _, s := range sets {
			all[s.name] = s.caps
		}
		return printed(json.NewEncoder(os.Stdout).Encode(all), 0)
	}
	var b strings.Builder
	for _, s := range sets {
		if len(sets) > 1 {
			fmt.Fprintf(&b, "%s:\n", s.name)
		}
		fmt.Fprintf(&b, "%s\n", s.caps.Decode())
		if s.caps == 0 {
			continue
		}
		fmt.Fprintf(&b, "  systemd     %s\n", s.caps.Systemd())
		fmt.Fprintf(&b, "  Kubernetes  %s\n", strings.Join(s.caps.Kubernetes(), " "))
		fmt.Fprintf(&b, "  OCI         %s\n", strings.Join(s.caps.OCI(), " "))
		fmt.Fprintf(&b, "  setpriv     %s\n", s.caps.Setpriv())
	}
	_, err = fmt.Print(b.String())
	return printed(err, 0)
}

var (
	statusLine = regexp.MustCompile(`^Cap(Inh|Prm|Eff|Bnd|Amb):\s*([0-9a-fA-F]+)$`)
	mask       = regexp.MustCompile(`^(0x)?[0-9a-fA-F]{1,16}$`)
	attribute  = regexp.MustCompile(`^(security\.capability=)?(0x[0-9a-fA-F]{24,}|0s[A-Za-z0-9+/=]+)$`)
)

// decode reads a text in the notation that it has. Hexadecimal digits alone are a mask, as
// for capsh.
func decode(text string) ([]set, error) {
	text = strings.TrimSpace(text)
	if m := statusLine.FindStringSubmatch(text); m != nil {
		s, err := caps.ParseMask(m[2])
		return []set{{"Cap" + m[1], s}}, err
	}
	switch {
	case text == "":
		return nil, errors.New("-decode needs a mask, a name, or another notation of capabilities")
	case mask.MatchString(text):
		s, err := caps.ParseMask(text)
		return []set{{"mask", s}}, err
	case attribute.MatchString(text):
		return decodeAttribute(text[strings.LastIndex(text[:min(len(text), 20)], "=")+1:])
	case strings.HasPrefix(text, "~"):
		s, err := caps.UpTo(caps.Last).ParseSystemd(text)
		return []set{{"systemd list", s}}, misspelt(err)
	case strings.HasPrefix(text, "["):
		s, err := caps.ParseSet(strings.NewReplacer("[", " ", "]", " ", `"`, " ").Replace(text))
		return []set{{"names", s}}, misspelt(err)
	case strings.ContainsAny(text, "^!%"):
		v, err := caps.ParseIAB(text)
		sets := []set{{"inheritable", v.Inheritable}, {"ambient", v.Ambient}, {"blocked from the bounding set", v.Blocked}}
		return sets, misspelt(err)
	case strings.HasPrefix(text, "+"), strings.HasPrefix(text, "-"):
		s, err := caps.Set(0).ParseSetpriv(text)
		return []set{{"setpriv list", s}}, misspelt(err)
	case strings.ContainsAny(text, "=+"):
		s, err := caps.ParseText(text)
		return []set{{"permitted", s.Permitted}, {"effective", s.Effective}, {"inheritable", s.Inheritable}}, misspelt(err)
	}
	s, err := caps.ParseSet(text)
	return []set{{"names", s}}, misspelt(err)
}

// decodeAttribute reads security.capability as getfattr(1) prints it.
func decodeAttribute(text string) ([]set, error) {
	decoder := hex.DecodeString
	if strings.HasPrefix(text, "0s") {
		decoder = base64.StdEncoding.DecodeString
	}
	b, err := decoder(text[2:])
	if err != nil {
		return nil, fmt.Errorf("security.capability: %w", err)
	}
	f, err := caps.DecodeFile(b)
	if err != nil {
		return nil, err
	}
	s := f.State()
	return []set{{"permitted", s.Permitted}, {"effective", s.Effective}, {"inheritable", s.Inheritable}}, nil
}
