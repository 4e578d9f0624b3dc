package preflight

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/launch"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/program"
)

// A chain is what executes a program: scripts and wrappers, each by an execve of its own,
// and at its end the program.
type chain struct {
	program  live.Program   // executed at the end
	opened   []live.Program // by the execve at hand: the program, and the scripts before it
	script   string         // the first script, by which the program is started
	given    bool           // the program runs what it is given as an argument
	links    []link
	forks    bool   // the program gets another process id than what was started
	mayFork  bool   // that is not known
	leaves   bool   // what was started ends at once, and leaves the program behind
	mayLeave bool   // that is not known
	closes   bool   // the sockets that systemd passes do not reach the program
	doubt    string // why it is not known what is started

	who facts.Account // as whom it is executed
}

// A link is a wrapper on the way.
type link struct {
	opened []live.Program
	wrap   launch.Wrap
	who    facts.Account // as whom it starts the next
}

// A starter is who starts a chain: where it looks for programs, and what it may execute.
type starter struct {
	path, dir string
	then      string // the path by which what it starts looks, "" for the same
	who       facts.Account
	mine      bool                    // it is this process
	in        root                    // whose files it sees
	executes  func(file string) error // what else keeps a file from being executed
	gives     []string                // folders that are the user's by then
}

// A root is the files that a starter sees, and the users that they name.
type root struct {
	open func(path string) (live.Program, error)
	stat func(path string) (fs.FileInfo, error)
	look func(user, group string) (facts.Account, error)
}

// here is the root of this process.
var here = root{live.Open, os.Stat, live.LookAccount}

// maxLinks bounds a chain; nobody has one that is as long.
const maxLinks = 16

// follow follows a command line to its program. The error says that nothing is started.
func (s starter) follow(argv []string) (c *chain, err error) {
	c = &chain{who: s.who}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	for range maxLinks {
		name, err := s.find(argv[0])
		if err != nil {
			return c, err
		}
		s.path, s.then = cmp.Or(s.then, s.path), ""
		if c.program, err = s.in.open(name); err != nil {
			return c, s.unseen(err)
		}
		c.opened = append(c.opened, c.program)
		c.doubt = cmp.Or(c.doubt, c.program.Unsure)
		if err := s.may(c.program); err != nil {
			return c, err
		}
		if c.program.File.Format == program.Script {
			c.script = cmp.Or(c.script, argv[0])
			next := []string{c.program.File.Interpreter}
			if c.program.File.Argument != "" {
				next = append(next, c.program.File.Argument)
			}
			argv = append(append(next, name), argv[1:]...)
			continue
		}
		w, ok, err := launch.Unwrap(append([]string{name}, argv[1:]...))
		switch {
		case err != nil:
			return c, err
		case !ok || program.Is(c.program.File.Does.Raise, true):
			c.ends(argv, s.in)
			return c, nil
		case w.Script != "":
			if w, err = s.script(w); err != nil {
				return c, err
			}
			c.script = cmp.Or(c.script, w.Script)
		}
		if err := s.wrap(c, w); err != nil || c.doubt != "" {
			return c, err
		}
		argv = w.Command
	}
	return c, errors.New("the program is started by too many others")
}

// unseen marks the error of a file that this process may not see, if another one executes it.
func (s starter) unseen(err error) error {
	if is := (*fs.PathError)(nil); !s.mine && errors.As(err, &is) && is.Op != "exec" {
		return mayRead(err)
	}
	return err
}

// may asks whether something else keeps the file, or its loader, from being executed.
func (s starter) may(p live.Program) error {
	if s.executes == nil {
		return nil
	}
	err := s.executes(p.Path)
	if loader, errLoader := filepath.EvalSymlinks(p.File.Interpreter); err == nil && errLoader == nil && p.File.Format == program.ELF && p.File.Interpreter != "" {
		err = s.executes(loader)
	}
	return err
}

// wrap adds a wrapper to the chain.
func (s *starter) wrap(c *chain, w launch.Wrap) error {
	if w.User != "" {
		who, err := s.in.look(w.User, w.Group)
		if err != nil {
			return fmt.Errorf("%s: %w", c.program.Path, err)
		}
		c.who = who
	}
	c.leaves = c.leaves || w.Leaves || w.Leader && !c.forks && !c.mayFork
	c.mayLeave = c.mayLeave || w.Leader && !c.leaves
	c.forks, c.mayFork, c.closes = c.forks || w.Forks && !w.Passes, c.mayFork || w.MayFork, c.closes || w.Closes
	c.doubt = cmp.Or(c.doubt, w.Doubt)
	s.path, s.dir = cmp.Or(w.Path, s.path), cmp.Or(w.Dir, s.dir)
	if c.doubt == "" {
		c.links = append(c.links, link{c.opened, w, c.who})
		c.opened = nil
	}
	return nil
}

// script reads the script of a shell.
func (s starter) script(w launch.Wrap) (launch.Wrap, error) {
	name := w.Script
	if !filepath.IsAbs(name) {
		name = filepath.Join(s.dir, name)
	}
	p, err := s.in.open(name)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOEXEC) { // it need not be executable
		w.Doubt = name + " is given to a shell, and not executable"
		return w, nil
	}
	if err != nil {
		return w, err
	}
	defer p.Close()
	text, err := p.Text()
	if err != nil {
		w.Doubt = err.Error()
		return w, nil
	}
	return w.ShellScript(text), nil
}

// find looks for a program as execvp(3) does.
func (s starter) find(name string) (string, error) {
	switch {
	case filepath.IsAbs(name):
		return name, nil
	case strings.Contains(name, "/"):
		return filepath.Join(s.dir, name), nil
	}
	for _, dir := range filepath.SplitList(s.path) {
		info, err := s.in.stat(filepath.Join(dir, name))
		if err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return filepath.Join(dir, name), nil
		}
	}
	return "", &fs.PathError{Op: "exec", Path: name, Err: fs.ErrNotExist}
}

// close lets go of all files.
func (c *chain) close() {
	for _, l := range c.links {
		for _, p := range l.opened {
			p.Close()
		}
	}
	for _, p := range c.opened {
		p.Close()
	}
}

// ends looks at what the last program is given: what runs a program is itself none.
func (c *chain) ends(argv []string, in root) {
	c.given = c.program.Interprets()
	if program.Is(c.program.File.Does.Raise, true) {
		return
	}
	for _, arg := range argv[1:] {
		for _, word := range strings.FieldsFunc(arg, launch.Separates) { // of a command line, as for zsh -c
			if filepath.IsAbs(word) && word != c.script && in.executable(word) {
				c.doubt = cmp.Or(c.doubt, fmt.Sprintf("%s is given %s, and may run it", c.program.Path, word))
			}
		}
	}
}

func (r root) executable(path string) bool {
	info, err := r.stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// through returns the facts of the thread that executes the program: what started the
// chain executes each wrapper, which makes its changes. The error says that a file may not
// be executed, or that a wrapper cannot make its changes, so that nothing is started.
func (c *chain) through(f facts.Facts, s starter) (facts.Facts, error) {
	who := s.who
	for i, l := range c.links {
		if err := s.allowed(c, l.opened, f, who, s.mine && i == 0); err != nil {
			return f, err
		}
		wrapper := l.opened[len(l.opened)-1]
		f.File.Installed = wrapper.Image()
		planned := kernel.Plan(f)
		if kernel.Executes(&planned) == kernel.No {
			return f, &fs.PathError{Op: "exec", Path: wrapper.Path, Err: caps.ErrExecRefused}
		}
		var err error
		var unsure *launch.Unsure
		f, err = launch.Through(f, planned.Proc.Thread, l.wrap, l.who)
		switch {
		case errors.As(err, &unsure):
			c.doubt = cmp.Or(c.doubt, wrapper.Path+": "+err.Error())
			return f, nil
		case err != nil:
			return f, fmt.Errorf("%s: %w", wrapper.Path, err)
		}
		who = l.who
		if f.Launcher.SharesFS.Value && l.wrap.MayFork {
			c.doubt = cmp.Or(c.doubt, wrapper.Path+" shares its folders with another process, and whether what it starts does is not known")
		}
		if l.wrap.Forks {
			f.Launcher.SharesFS = f.Launcher.SharesFS.Now(false)
		}
	}
	return f, s.allowed(c, c.opened, f, who, s.mine && len(c.links) == 0)
}

// allowed asks whether the files of one execve may be executed: by this process, or by a
// user with what the executing thread has effective.
func (s starter) allowed(c *chain, files []live.Program, f facts.Facts, who facts.Account, mine bool) error {
	for _, p := range files {
		if mine {
			if err := p.Mine(); err != nil {
				return err
			}
			continue
		}
		doubt, err := p.Of(who, f.Launch.Starter.Value.Effective, s.gives)
		if c.doubt = cmp.Or(c.doubt, doubt); err != nil {
			return err
		}
		if p.File.Format != program.Script || slices.Contains(s.gives, p.Path) {
			continue
		}
		doubt, err = p.ReadBy(who, f.Launch.Starter.Value.Ambient) // which the interpreter keeps
		if c.doubt = cmp.Or(c.doubt, doubt); err != nil {
			return err
		}
	}
	return nil
}

// keeps says that systemd does not leave the program running.
func (c *chain) keeps(u *launch.Unit) error {
	if c.doubt != "" {
		return nil
	}
	is := c.program.File.Go
	return u.Keeps(launch.Process{
		Leaves: c.leaves, MayLeave: c.mayLeave, Forks: c.forks, MayFork: c.mayFork,
		Go: is.Known() && is.Value.Main != "", Readiness: c.program.File.Does.Notify,
	})
}

// survives says which file of the chain ends at once, as the unit's filter refuses a system
// call that it cannot do without.
func (c *chain) survives(u *launch.Unit, command launch.Command) error {
	opened := slices.Clone(c.opened)
	for _, l := range c.links {
		opened = append(opened, l.opened...)
	}
	for _, p := range opened {
		dynamic := p.File.Format == program.ELF && p.File.Interpreter != ""
		if call := u.Ends(dynamic, p.File.Go.Known() && p.File.Go.Value.Main != ""); call != "" && !command.Bare() {
			return fmt.Errorf("%s: SystemCallFilter= refuses %s, without which %s ends before its first line", u.Name, call, p.Path)
		}
	}
	return nil
}
