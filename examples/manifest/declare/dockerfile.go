package declare

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/preflight"
	"github.com/lowport/lowport/internal/term"
)

// dockerfile reads the last stage of a Dockerfile, and the stages that it is built from, with
// the parser of BuildKit.
func dockerfile(f File, o Options) ([]Subject, error) {
	parsed, err := parser.Parse(bytes.NewReader(f.Content))
	if err != nil {
		return nil, err
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, err
	}
	last := stages[len(stages)-1]
	s := Subject{
		File: f.Name, Line: firstLine(last.Location), Name: "the image of " + path.Base(f.Name),
		Container: preflight.Container{Engine: or(o.Engine, "docker"), Rootless: o.Rootless},
	}
	var stamps stamps
	for _, stage := range lineage(stages) {
		if stage.BaseName == "scratch" {
			s.HasUser, stamps.whole = true, true // root, and nothing else is there
		}
		for _, c := range stage.Commands {
			if err := s.build(c, &stamps); err != nil {
				return nil, fmt.Errorf("line %d: %w", firstLine(c.Location()), err)
			}
		}
	}
	s.Addresses = unique(s.Addresses)
	s.stamped(stamps)
	if !stamps.whole { // where nothing but the program is, there is no setcap
		s.Edits = dockerfileEdits(s, last)
	}
	return []Subject{s}, nil
}

// lineage returns the stages that the last one is built from, in their order, and that one.
func lineage(stages []instructions.Stage) (all []instructions.Stage) {
	at := len(stages) - 1
	for at >= 0 {
		all = append([]instructions.Stage{stages[at]}, all...)
		at = slices.IndexFunc(stages[:at], func(s instructions.Stage) bool {
			return s.Name != "" && strings.EqualFold(s.Name, all[0].BaseName)
		})
	}
	return all
}

func firstLine(at []parser.Range) int {
	if len(at) == 0 {
		return 1
	}
	return at[0].Start.Line
}

// stamps are the file capabilities that a build gives, by path, in the words of setcap.
type stamps struct {
	files   map[string]string
	unknown bool // files came that may have some
	whole   bool // every file came by the stages that are seen
}

// build does what an instruction does to the image.
func (s *Subject) build(c instructions.Command, st *stamps) error {
	switch c := c.(type) {
	case *instructions.UserCommand:
		s.Container.User, s.HasUser = c.User, true
		if strings.Contains(c.User, "$") {
			s.HasUser = false
		}
	case *instructions.ExposeCommand:
		for _, p := range c.Ports {
			port, protocol, _ := strings.Cut(p, "/")
			s.Addresses = append(s.Addresses, low(port, protocol)...)
		}
	case *instructions.EntrypointCommand:
		s.Command, s.Args = shellForm(c.CmdLine, c.PrependShell), nil
	case *instructions.CmdCommand:
		s.Args = shellForm(c.CmdLine, c.PrependShell)
	case *instructions.WorkdirCommand:
		s.Container.Dir = c.Path
	case *instructions.EnvCommand:
		for _, kv := range c.Env {
			if kv.Key == "PATH" && !strings.Contains(kv.Value, "$") {
				s.Container.Env = append(s.Container.Env, "PATH="+kv.Value)
			}
		}
	case *instructions.CopyCommand:
		st.unknown = st.unknown || c.From != "" // which builders bring attributes along differs
		for name := range st.files {
			if to := path.Join("/", c.DestPath); name == to || strings.HasPrefix(name, to+"/") && c.From != "" {
				delete(st.files, name)
			}
		}
	case *instructions.RunCommand:
		return st.run(c)
	}
	return nil
}

// shellForm is a command as the image has it.
func shellForm(line []string, shell bool) []string {
	if shell {
		return append([]string{"/bin/sh", "-c"}, line...)
	}
	return line
}

// run reads what RUN does with setcap and chown.
func (st *stamps) run(c *instructions.RunCommand) error {
	text := strings.Join(c.CmdLine, " ")
	if !c.PrependShell {
		return st.words(c.CmdLine)
	}
	for _, f := range c.Files {
		text += "\n" + f.Data
	}
	for part := range strings.SplitSeq(strings.NewReplacer("&&", "\n", ";", "\n", "||", "\n").Replace(text), "\n") {
		if err := st.words(strings.Fields(part)); err != nil {
			return err
		}
	}
	return nil
}

// words reads one command.
func (st *stamps) words(words []string) error {
	i := slices.IndexFunc(words, func(w string) bool { return path.Base(w) == "setcap" })
	if i < 0 {
		if len(words) > 0 && path.Base(words[0]) == "chown" { // which takes them away
			clear(st.files)
		}
		return nil
	}
	var args []string
	for _, w := range words[i+1:] {
		if w != "-q" && w != "-v" {
			args = append(args, strings.Trim(w, `'"`))
		}
	}
	if len(args)%2 != 0 || slices.ContainsFunc(args, func(a string) bool { return strings.ContainsAny(a, "$`(") }) {
		st.unknown = true // what only a shell knows
		return nil
	}
	for ; len(args) > 0; args = args[2:] {
		if args[0] == "-r" {
			continue
		}
		if _, err := caps.ParseFile(args[0]); err != nil {
			return fmt.Errorf("setcap refuses it: %w", err)
		}
		if st.files == nil {
			st.files = map[string]string{}
		}
		st.files[path.Clean(args[1])] = args[0]
	}
	return nil
}

// stamped says what the file of the entrypoint has.
func (s *Subject) stamped(st stamps) {
	line := slices.Concat(s.Command, s.Args)
	name := ""
	if len(line) > 0 {
		name = line[0]
	}
	for file, text := range st.files {
		if file != name && path.Base(file) != name {
			continue
		}
		f, err := caps.ParseFile(text)
		if err != nil {
			continue
		}
		if value, err := f.AppendBinary(nil); err == nil {
			s.Container.Program = &preflight.Attributes{Capability: value}
			return
		}
	}
	if st.whole && !st.unknown {
		s.Container.Program = &preflight.Attributes{}
	}
}

// dockerfileEdits are the lines that may help, put at the end of the last stage, before it names
// its user.
func dockerfileEdits(s Subject, last instructions.Stage) []Edit {
	line := slices.Concat(s.Command, s.Args)
	if len(line) == 0 || !path.IsAbs(line[0]) || slices.Contains([]string{"sh", "bash"}, path.Base(line[0])) {
		return nil
	}
	before, user := 0, false // a user was named, who may not stamp
	for _, c := range last.Commands {
		if _, is := c.(*instructions.UserCommand); before == 0 && is {
			user = true
		} else if before == 0 && user {
			return nil
		}
		switch c.(type) {
		case *instructions.UserCommand, *instructions.EntrypointCommand, *instructions.CmdCommand, *instructions.ExposeCommand:
			if n := firstLine(c.Location()); before == 0 || n < before {
				before = n
			}
		default:
			before = 0 // behind it
		}
	}
	if before == 0 {
		return nil
	}
	run := "RUN setcap cap_net_bind_service=+ep " + term.Quote(line[0])
	return []Edit{{
		ID: "setcap", Summary: "in the image's last stage, with setcap in it", Place: "the last stage", Line: before, Lines: run + "\n",
		change: func(content []byte) ([]byte, error) {
			lines := strings.SplitAfter(string(content), "\n")
			return []byte(strings.Join(lines[:before-1], "") + run + "\n" + strings.Join(lines[before-1:], "")), nil
		},
	}}
}
