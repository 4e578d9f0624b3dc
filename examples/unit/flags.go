package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/lowport/lowport/guard/unit"
)

// options are what the command line says.
type options struct {
	service  unit.Service
	command  string // of -exec
	existing string // the unit of -drop-in
	dropIn   bool
	dir      string
	install  bool
	remove   string // the service to remove, without ".service"
}

func (o options) files() ([]unit.File, error) {
	if o.dropIn {
		return o.service.DropIn()
	}
	return o.service.Files()
}

// start are the units to enable and start; a drop-in's is restarted.
func (o options) start() []string {
	name := o.service.Name
	if name == "" {
		name = o.service.Exec[0][strings.LastIndexByte(o.service.Exec[0], '/')+1:]
	}
	name = strings.TrimSuffix(name, ".service")
	if o.service.Socket {
		return []string{name + ".socket", name + ".service"}
	}
	return []string{name + ".service"}
}

// define names the flags.
func define() (*flag.FlagSet, *options) {
	o := &options{}
	s := &o.service
	f := flag.NewFlagSet("unit", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.StringVar(&o.command, "exec", "", "the `command`: an absolute path and arguments, quoted as in a shell")
	f.StringVar(&o.existing, "drop-in", "", "harden this existing `unit` instead of -exec")
	f.StringVar(&s.Name, "name", "", "`name` of the unit; by default the program's")
	f.StringVar(&s.Description, "description", "", "one line of `text`")
	f.StringVar(&s.Type, "type", "", "`type`: exec, simple or notify")
	f.StringVar(&s.User, "user", "", "run as this `user`; by default as one that exists only while it runs")
	f.StringVar(&s.Group, "group", "", "and this `group`")
	f.StringVar(&s.WorkDir, "workdir", "", "`folder` to start in")
	f.Func("env", "`KEY=VALUE` for the program; repeat for more", each(&s.Env))
	f.StringVar(&s.EnvFile, "env-file", "", "`file` of KEY=VALUE lines")
	f.StringVar(&s.Restart, "restart", "", "restart it `when`: no, on-failure, always, …")
	f.IntVar(&s.RestartSec, "restart-sec", 0, "`seconds` before a restart")
	f.Func("after", "start after this `unit`; repeat for more", each(&s.After))
	f.Func("wants", "start this `unit` too", each(&s.Wants))
	f.Func("requires", "do not run without this `unit`", each(&s.Requires))
	f.StringVar(&s.WantedBy, "wanted-by", "", "`target` that starts it")
	f.Func("write", "a `path` that the program may write; repeat for more", each(&s.Write))
	f.BoolVar(&s.Socket, "socket", false, "let systemd bind the port: no capability at all")
	f.Func("listen", "with -socket, the TCP `address`; by default the one in -exec", each(&s.Listen))
	f.Func("listen-udp", "with -socket, a UDP `address`", each(&s.ListenUDP))
	f.BoolVar(&s.Outbound, "outbound", false, "the server opens connections of its own")
	f.BoolVar(&s.JIT, "jit", false, "the program writes machine code at run time (node, java)")
	f.StringVar(&o.dir, "dir", "", "write the files into this `folder`")
	f.BoolVar(&o.install, "install", false, "write them to /etc/systemd/system, verify, enable and start")
	f.StringVar(&o.remove, "remove", "", "stop, disable and delete what -install wrote for this `unit`")
	return f, o
}

func parse(args []string) (options, error) {
	f, defined := define()
	err := f.Parse(args)
	o := *defined
	s := &o.service
	switch {
	case errors.Is(err, flag.ErrHelp):
		return o, errors.Join(err, help(os.Stdout, f))
	case err != nil:
		return o, wrongFlag(err)
	}
	whole := "" // a flag of new units alone
	f.Visit(func(given *flag.Flag) {
		switch given.Name {
		case "name", "type", "env", "env-file", "restart", "restart-sec", "wanted-by":
			whole = given.Name
		}
	})
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("%q is no flag: the command is one argument of -exec", f.Arg(0))
	case o.remove != "" && f.NFlag() > 1:
		return o, errors.New("-remove takes no other flag")
	case strings.Contains(o.remove, "/"):
		return o, errors.New("-remove takes the name of a unit, and no path")
	case o.remove != "":
		o.remove = strings.TrimSuffix(o.remove, ".service")
		return o, nil
	case (o.command == "") == (o.existing == ""):
		return o, errors.New("one of -exec and -drop-in is needed: see unit -h")
	case o.existing != "" && whole != "":
		return o, fmt.Errorf("-drop-in leaves that to the unit: -%s is for new ones", whole)
	case o.install && o.dir != "":
		return o, errors.New("-install and -dir exclude each other")
	case !s.Socket && len(s.Listen)+len(s.ListenUDP) > 0:
		return o, errors.New("-listen is for -socket: without it the program binds what it likes")
	case o.existing != "":
		o.dropIn, s.Name = true, strings.TrimSuffix(o.existing, ".service")
	default:
		if s.Exec, err = split(o.command); err != nil {
			return o, fmt.Errorf("-exec: %w", err)
		}
	}
	if s.Socket && len(s.Listen)+len(s.ListenUDP) == 0 {
		s.Listen = addresses(s.Exec)
		switch len(s.Listen) {
		case 0:
			return o, errors.New("-socket needs -listen ADDRESS: the command has no HOST:PORT")
		case 1:
		default: // one may be that of a server it connects to
			return o, fmt.Errorf("-socket needs -listen ADDRESS: which of %s are the command's own cannot be told", strings.Join(s.Listen, ", "))
		}
	}
	return o, nil
}

// wrongFlag words the errors of package flag.
func wrongFlag(err error) error {
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: "); ok {
		return fmt.Errorf("no flag %s: -h lists them", name)
	}
	return err
}

func each(list *[]string) func(string) error {
	return func(s string) error {
		*list = append(*list, s)
		return nil
	}
}

// addresses are the arguments, or the values of -flag=value, that are a HOST:PORT.
func addresses(argv []string) []string {
	var found []string
	for _, arg := range argv[min(1, len(argv)):] {
		if strings.HasPrefix(arg, "-") {
			_, arg, _ = strings.Cut(arg, "=")
		}
		if _, port, err := net.SplitHostPort(arg); err == nil {
			if _, err := strconv.ParseUint(port, 10, 16); err == nil {
				found = append(found, arg)
			}
		}
	}
	return found
}
