package preflight

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/launch"
	"github.com/lowport/lowport/internal/program"
)

// unseenImage returns the plans for a program of which nothing is known but who starts it:
// without capabilities of its file, and with all.
func (how Launch) unseenImage(start launch.Container, name, group string, argv []string) (all []*plan, err error) {
	who, err := launch.Database{}.Account(name, group)
	if err != nil { // the number of a group grants nothing
		if who, err = (launch.Database{}).Account(name, ""); err != nil {
			return nil, err
		}
	}
	bounding, err := start.Bounding()
	if err != nil {
		return nil, err
	}
	starts := bounding.Has(caps.NET_BIND_SERVICE) // what is stamped with +ep, whatever it binds
	for _, a := range how.Container.programs(starts) {
		f, err := start.Start(attributes(assumed{}), "/the-entrypoint", argv, who)
		if err != nil {
			return nil, err
		}
		p := how.does(program.Does{})
		p.inside(start)
		line, doubt, err := through(&f, argv, who)
		if err != nil {
			return nil, err
		}
		f.File.Installed = attributes(assumed{a})
		f.File.Exe = f.File.Installed
		if len(line) > 0 {
			f.File.Path = f.File.Path.Now(line[0])
		}
		p.notes = append(p.notes, "no image is given: the program is taken to be executed as it is named")
		if !starts {
			p.notes = append(p.notes, "a program whose file has cap_net_bind_service=ep would not even be started")
		}
		privileged := f.Net.PortStart
		p.doubt = func(g kernel.Goal) string {
			from, known := privileged.Is()
			whoever := g.Network != "" && (known && g.Port >= from || !starts) // it gets the port, or does not
			if whoever {
				return start.Doubt(g)
			}
			return cmp.Or(doubt, start.Doubt(g))
		}
		p.facts = kernel.Plan(f)
		all = append(all, p)
	}
	return all, nil
}

// through follows a command line through the wrappers that are known by their names (tini,
// dumb-init, gosu, su-exec, sh -c), each in a file without capabilities. It returns the line of the
// program, and why it is not known how that is started.
func through(f *facts.Facts, argv []string, who facts.Account) (line []string, doubt string, err error) {
	for range maxLinks {
		if len(argv) == 0 {
			return argv, "", nil
		}
		if path.Ext(argv[0]) == ".sh" {
			return argv, "what the script " + argv[0] + " does is not known, as no image is given", nil
		}
		w, is, err := launch.Unwrap(argv)
		switch {
		case err != nil || !is:
			return argv, "", err
		case w.Script != "":
			return argv, "what the script " + w.Script + " does is not known, as no image is given", nil
		case w.Doubt != "":
			return argv, w.Doubt, nil
		}
		if w.User != "" {
			if who, err = (launch.Database{}).Account(w.User, w.Group); err != nil {
				return argv, fmt.Sprintf("which numbers %s makes of %s is not known, as no image is given", argv[0], strings.TrimSuffix(w.User+":"+w.Group, ":")), nil
			}
		}
		planned := kernel.Plan(*f)
		if kernel.Executes(&planned) == kernel.No {
			return argv, "", &fs.PathError{Op: "exec", Path: argv[0], Err: caps.ErrExecRefused}
		}
		var unsure *launch.Unsure
		switch *f, err = launch.Through(*f, planned.Proc.Thread, w, who); {
		case errors.As(err, &unsure):
			return argv, argv[0] + ": " + err.Error(), nil
		case err != nil:
			return argv, "", fmt.Errorf("%s: %w", argv[0], err)
		}
		argv = w.Command
	}
	return argv, "", errors.New("the program is started by too many others")
}

// programs are what the program's file may have: what is said of it, or nothing, and what binds a
// low port if such a program starts.
func (c *Container) programs(starts bool) []Attributes {
	switch {
	case c.Program != nil:
		return []Attributes{*c.Program}
	case !starts:
		return []Attributes{{}}
	}
	stamped, _ := caps.File{Version: 2, Permitted: caps.SetOf(caps.NET_BIND_SERVICE), Effective: true}.AppendBinary(nil)
	return []Attributes{{}, {Capability: stamped}}
}

// An assumed file is one of an image that is not there.
type assumed struct{ a Attributes }

func (assumed) Name() string       { return "the program" }
func (assumed) Size() int64        { return 0 }
func (assumed) Mode() fs.FileMode  { return 0o755 }
func (assumed) ModTime() time.Time { return time.Time{} }
func (assumed) IsDir() bool        { return false }
func (a assumed) Sys() any         { return &a.a }
