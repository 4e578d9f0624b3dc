package launch

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
)

// A Wrap is what a wrapper does after its own execve and before that of the program
// which its arguments name: nice(1) in "nice -n 5 /srv/app :443".
type Wrap struct {
	Command []string // of the program; its name is searched in PATH where it has no slash
	Account          // what it changes of the user
	Sets             // what it changes of the capabilities
	Script  string   // the shell script that it reads, in the place of Command
	Forks   bool     // the program gets another process id than the wrapper
	MayFork bool     // that is not known
	Leaves  bool     // its own process ends at once, and the program goes on as another
	Leader  bool     // it does so if it leads a process group, as what systemd starts does
	Passes  bool     // though it forks, the program gets the sockets: LISTEN_PID is set anew
	Closes  bool     // the program gets neither the descriptors that systemd passes nor the environment
	Path    string   // the PATH that it sets, "" for the one it was given
	Doubt   string   // why it is not known how the program starts
	Refused string   // why the wrapper cannot do it, for a user that is not root
	Unsure  string   // why it may not do it, for such a user
	Dir     string   // where it changes to, "" for nowhere

	asks     bool // it asks modules of PAM and services of the machine
	persona  bool // it changes its personality(2)
	realtime bool // it asks for a scheduler of real time

	bash bool     // the shell is one that knows exec -a
	args []string // what "$@" of the shell stands for
}

// Account is a change of user as a wrapper names it.
type Account struct {
	User, Group string // names or numbers, "" for no change
	Keeps       bool   // the permitted set is kept over the change (setpriv)
	SetsGroups  bool   // setgroups(2) is called, whoever the user is
}

// Sets are changes of capability sets, in the words of setpriv(1).
type Sets struct {
	Bounding, Inheritable, Ambient []string
	NoNewPrivs                     bool
	Securebits                     string
}

// errNoProgram is the error of a wrapper whose arguments name no program.
var errNoProgram = errors.New("its arguments name no program")

// A wrapper knows how a command finds the program in its arguments.
type wrapper struct {
	flags    string // its short options without a value
	values   string // its short options with one
	longs    string // its long options without a value, separated by spaces
	longVals string // its long options with one
	operands int    // how many words stand between the options and the program
	permutes bool   // options may stand behind operands, up to "--"
	strict   bool   // it ends at an option that is not in the table
	forks    bool   // it waits for the program as its parent
	apply    func(w *Wrap, o options) error
}

// options are what stands before the program.
type options struct {
	set      []option
	operands []string
}

type option struct{ name, value string }

func (o options) last(names ...string) string {
	for _, is := range slices.Backward(o.set) {
		if slices.Contains(names, is.name) {
			return is.value
		}
	}
	return ""
}

func (o options) has(names ...string) bool {
	return slices.ContainsFunc(o.set, func(is option) bool { return slices.Contains(names, is.name) })
}

// Unwrap reads a command line whose program is a wrapper, known by the last element
// of its path. It is not one if ok is false. An error says that the wrapper would
// not start anything.
func Unwrap(argv []string) (w Wrap, ok bool, err error) {
	name := path.Base(argv[0])
	if slices.Contains(arches, name) {
		argv, name = append([]string{"setarch", name}, argv[1:]...), "setarch"
	}
	kind, ok := wrappers[name]
	if !ok {
		return w, false, nil
	}
	arch := ""
	if name == "setarch" && len(argv) > 1 && !strings.HasPrefix(argv[1], "-") { // what stands first is the architecture
		if !slices.Contains(arches, argv[1]) {
			return Wrap{Doubt: "whether this machine can be taken for " + argv[1] + " is not looked at"}, true, nil
		}
		arch, argv = argv[1], argv[1:]
	}
	if anyUnexpanded(argv) {
		return Wrap{Doubt: "what stands for a variable in the arguments of " + argv[0] + " is not known"}, true, nil
	}
	if w, err = kind.read(argv[1:]); err != nil {
		return w, true, fmt.Errorf("%s: %w", argv[0], err)
	}
	w.persona = w.persona || arch != "" && arch != "x86_64" && arch != "linux64"
	return w, true, nil
}

func (kind wrapper) read(args []string) (Wrap, error) {
	o, rest, err := kind.options(args)
	var unknown *unknownOption
	if errors.As(err, &unknown) && !kind.strict {
		return Wrap{Doubt: err.Error()}, nil
	}
	if err != nil {
		return Wrap{}, err
	}
	if len(rest) < kind.operands {
		return Wrap{}, errNoProgram
	}
	o.operands = rest[:kind.operands]
	w := Wrap{Command: rest[kind.operands:], Forks: kind.forks}
	if kind.apply != nil {
		if err := kind.apply(&w, o); err != nil {
			return w, err
		}
	}
	if len(w.Command) == 0 && w.Script == "" && w.Doubt == "" {
		return w, errNoProgram
	}
	return w, nil
}

// unknownOption is the error of an option that is not in the table: what stands behind
// it may be its value or the program.
type unknownOption struct{ name string }

func (e *unknownOption) Error() string { return "what its option " + e.name + " does is not known" }

// options reads options as getopt_long(3) does with "+": the first word that is none
// ends them.
func (kind wrapper) options(args []string) (o options, rest []string, err error) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return o, append(rest, args[i+1:]...), nil
		case strings.HasPrefix(arg, "--"):
			name, value, has := strings.Cut(arg[2:], "=")
			takes, err := kind.long(name)
			if err != nil {
				return o, nil, err
			}
			if takes && !has {
				if i++; i == len(args) {
					return o, nil, fmt.Errorf("the option %s has no value", arg)
				}
				value = args[i]
			}
			o.set = append(o.set, option{name, value})
		case len(arg) > 1 && arg[0] == '-':
			used, err := kind.short(&o, arg[1:], args[i+1:])
			if err != nil {
				return o, nil, err
			}
			i += used
		case kind.permutes:
			rest = append(rest, arg)
		default:
			return o, args[i:], nil
		}
	}
	return o, rest, nil
}

// long reports whether a long option takes a value.
func (kind wrapper) long(name string) (takes bool, err error) {
	switch {
	case slices.Contains(strings.Fields(kind.longVals), name):
		return true, nil
	case slices.Contains(strings.Fields(kind.longs), name):
		return false, nil
	}
	return false, &unknownOption{"--" + name}
}

// short reads a word of short options, and returns how many of the next words it used.
func (kind wrapper) short(o *options, letters string, next []string) (used int, err error) {
	for i, c := range letters {
		switch {
		case strings.ContainsRune(kind.values, c):
			value := letters[i+1:]
			if value == "" {
				if len(next) == 0 {
					return 0, fmt.Errorf("the option -%c has no value", c)
				}
				value, used = next[0], 1
			}
			o.set = append(o.set, option{string(c), value})
			return used, nil
		case strings.ContainsRune(kind.flags, c):
			o.set = append(o.set, option{name: string(c)})
		default:
			return 0, &unknownOption{"-" + string(c)}
		}
	}
	return 0, nil
}

// Apply returns what a thread that held s, as who, holds once the wrapper has made its
// changes from the ids old to those of User, who. An error says that it may not.
func (w Wrap) Apply(s caps.State, old, who caps.UIDs) (caps.State, error) {
	switch {
	case w.SetsGroups && !s.Effective.Has(caps.SETGID):
		return s, errors.New("the wrapper may not change the groups")
	case old != who && !s.Effective.Has(caps.SETUID):
		return s, errors.New("the wrapper may not change the user")
	case w.Refused != "" && old.Effective != 0:
		return s, errors.New(w.Refused)
	case w.Unsure != "" && old.Effective != 0:
		return s, &Unsure{w.Unsure}
	}
	if w.User != "" || w.Group != "" {
		if w.Keeps {
			s.Securebits |= caps.KeepCaps
		}
		s = s.SetUIDs(old, who)
		if w.Keeps { // capng_apply makes the permitted set effective again
			s.Effective = s.Permitted
		}
	}
	return w.sets(s)
}

// An Unsure is the error of a change of which it is not known whether the wrapper can make it.
type Unsure struct{ why string }

func (e *Unsure) Error() string { return e.why }

// errVersions: setpriv(1) of util-linux 2.38 leaves a bounding set that it may not change, and
// that of 2.41 ends.
var errVersions = &Unsure{"versions of the wrapper differ in what they do without CAP_SETPCAP"}

// sets applies the changes of capabilities in the order in which setpriv(1) does.
func (w Wrap) sets(s caps.State) (caps.State, error) {
	var err error
	s.NoNewPrivs = s.NoNewPrivs || w.NoNewPrivs
	bounding := s.Bounding
	if bounding, err = edit(bounding, w.Bounding); err != nil {
		return s, err
	}
	switch less := s.Bounding &^ bounding; {
	case less == 0:
	case !s.Effective.Has(caps.SETPCAP):
		return s, errVersions
	default:
		s.Bounding &= bounding
	}
	inheritable, err := edit(s.Inheritable, w.Inheritable)
	if err != nil {
		return s, err
	}
	if more := inheritable &^ s.Inheritable; !(s.Permitted|s.Inheritable).Contains(more) && !s.Effective.Has(caps.SETPCAP) || !s.Bounding.Contains(more) {
		return s, errors.New("the wrapper may not add to the inheritable set")
	}
	s.Inheritable = inheritable
	s.Ambient &= s.Inheritable
	ambient, err := edit(s.Ambient, w.Ambient)
	if err != nil {
		return s, err
	}
	if !(s.Permitted & s.Inheritable).Contains(ambient) {
		return s, errors.New("the wrapper may not add to the ambient set")
	}
	s.Ambient = ambient
	return s, nil
}

// edit applies lists such as "-all,+net_bind_service" to a set.
func edit(set caps.Set, lists []string) (caps.Set, error) {
	for _, list := range lists {
		var err error
		if set, err = set.ParseSetpriv(list); err != nil {
			return set, err
		}
	}
	return set, nil
}
