package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
)

// parse turns the command line into a child that is this process but for what
// the flags say, and the command to start.
func parse(args []string) (drop.Child, []string, error) {
	self, err := caps.Self()
	if err != nil {
		return drop.Child{}, nil, err
	}
	c := drop.Child{
		Inheritable: self.Inheritable,
		Ambient:     self.Ambient,
		Bounding:    self.Bounding,
		Securebits:  self.Securebits &^ caps.KeepCaps, // which no execve keeps
	}
	var id identity
	f := flag.NewFlagSet("run", flag.ContinueOnError)
	f.Func("reuid", "real and effective `uid` or user name", given(&id.user))
	f.Func("regid", "real and effective `gid` or group name", given(&id.group))
	f.BoolVar(&id.init, "init-groups", false, "supplementary groups of the user")
	f.BoolVar(&id.clear, "clear-groups", false, "no supplementary groups")
	f.BoolVar(&id.keep, "keep-groups", false, "the supplementary groups of the caller")
	f.Func("inh-caps", "inheritable set, `±cap,…` or ±all", edit(&c.Inheritable, self.Bounding))
	f.Func("ambient-caps", "ambient set, `±cap,…` or ±all", edit(&c.Ambient, self.Permitted))
	f.Func("bounding-set", "bounding set, `±cap,…` or ±all", edit(&c.Bounding, self.Bounding))
	f.BoolVar(&c.NoNewPrivs, "no-new-privs", false, "let no execve grant anything")
	f.BoolVar(&c.NoNewPrivs, "nnp", false, "short for no-new-privs")
	if err := f.Parse(args); err != nil {
		return drop.Child{}, nil, err
	}
	if f.NArg() == 0 {
		return drop.Child{}, nil, errors.New("no program given")
	}
	c.User, err = id.resolve()
	return c, f.Args(), err
}

// given sets a flag that says something: an empty one, as a script's unset
// variable leaves it, would be no change of the user at all.
func given(to *string) func(string) error {
	return func(value string) error {
		if value == "" {
			return errors.New("neither a name nor a number")
		}
		*to = value
		return nil
	}
}

// edit changes a set by "+cap,-cap,+all", from left to right.
func edit(s *caps.Set, all caps.Set) func(string) error {
	return func(list string) error {
		for word := range strings.SplitSeq(list, ",") {
			name := strings.TrimLeft(word, "+-")
			set := all
			if name != "all" {
				c, err := caps.ParseCap(name)
				if err != nil {
					return err
				}
				set = caps.SetOf(c)
			}
			switch word {
			case "+" + name:
				*s |= set
			case "-" + name:
				*s &^= set
			default:
				return fmt.Errorf("%q starts with neither + nor -", word)
			}
		}
		return nil
	}
}

// An identity is what the flags say about user and groups.
type identity struct {
	user, group       string
	init, clear, keep bool
}

// resolve returns nil where nothing is said.
func (id identity) resolve() (*drop.User, error) {
	if id == (identity{}) {
		return nil, nil
	}
	ways := 0
	for _, way := range []bool{id.init, id.clear, id.keep} {
		if way {
			ways++
		}
	}
	if ways > 1 || ways == 0 && id.group != "" {
		return nil, errors.New("--regid needs one of --init-groups, --clear-groups and --keep-groups")
	}
	if id.init && id.user == "" {
		return nil, errors.New("--init-groups needs --reuid")
	}
	u := drop.User{UID: uint32(os.Getuid()), GID: uint32(os.Getgid())}
	var err error
	if id.user != "" {
		if u.UID, err = number(id.user, uidOf); err != nil {
			return nil, err
		}
	}
	if id.group != "" {
		if u.GID, err = number(id.group, gidOf); err != nil {
			return nil, err
		}
	}
	switch {
	case id.clear:
	case id.init:
		u.Groups, err = groupsOf(u.UID)
	default:
		var own []int
		own, err = os.Getgroups()
		for _, g := range own {
			u.Groups = append(u.Groups, uint32(g))
		}
	}
	return &u, err
}

// groupsOf is initgroups(3): every group of the user.
func groupsOf(uid uint32) ([]uint32, error) {
	known, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return nil, err
	}
	u, err := drop.LookupUser(known.Username)
	return u.Groups, err
}

func uidOf(name string) (string, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return "", err
	}
	return u.Uid, nil
}

func gidOf(name string) (string, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return "", err
	}
	return g.Gid, nil
}

// number is an id given as a number, or else as the name of one.
func number(s string, lookup func(string) (string, error)) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		if s, err = lookup(s); err != nil {
			return 0, err
		}
		n, err = strconv.ParseUint(s, 10, 32)
	}
	return uint32(n), err
}
