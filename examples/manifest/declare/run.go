package declare

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/guard/preflight"
)

// The options of `run` and `create` of docker(1), podman(1) and nerdctl that take no value, and
// those that take one, by their long names.
var (
	switches = strings.Fields(`detach init interactive tty privileged rm read-only read-only-tmpfs no-healthcheck publish-all
		sig-proxy oom-kill-disable quiet disable-content-trust replace http-proxy env-host no-hosts no-hostname rmi tls-verify
		passwd systemd-always`)
	valued = strings.Fields(`add-host annotation arch attach authfile blkio-weight cap-add cap-drop cgroup-conf cgroup-parent cgroupns
		cgroups cidfile conmon-pidfile cpu-period cpu-quota cpu-shares cpus cpuset-cpus cpuset-mems decryption-key detach-keys device
		device-cgroup-rule dns dns-opt dns-option dns-search entrypoint env env-file env-merge expose gidmap gpus group-add
		group-entry health-cmd health-interval health-retries health-start-period health-timeout hooks-dir hostname hostuser
		image-volume init-path ip ip6 ipc isolation label label-file log-driver log-opt mac-address memory memory-reservation
		memory-swap memory-swappiness mount name net network network-alias no-trunc os oom-score-adj passwd-entry personality
		pid pidfile pids-limit platform pod pod-id-file preserve-fds publish pull requires restart runtime sdnotify seccomp-policy
		secret security-opt shm-size stop-signal stop-timeout storage-opt subgidname subuidname sysctl systemd timeout tmpfs tz
		uidmap ulimit umask unsetenv user userns uts variant volume volume-driver volumes-from workdir`)
	short = map[rune]string{
		'd': "detach", 'i': "interactive", 't': "tty", 'P': "publish-all", 'q': "quiet",
		'a': "attach", 'c': "cpu-shares", 'e': "env", 'h': "hostname", 'l': "label", 'm': "memory", 'p': "publish", 'u': "user",
		'v': "volume", 'w': "workdir",
	}
)

// A given option is one of a command line.
type given struct{ name, value string }

// commandLine reads a file with one command line of an engine.
func commandLine(f File, o Options) ([]Subject, error) {
	var all []Subject
	line, from, n := "", 0, 0
	for raw := range bytes.Lines(f.Content) {
		n++
		text := strings.TrimRight(string(raw), "\n")
		if line == "" && (strings.TrimSpace(text) == "" || strings.HasPrefix(strings.TrimSpace(text), "#")) {
			continue
		}
		if line == "" {
			from = n
		}
		more, goesOn := strings.CutSuffix(text, `\`)
		if line += more + " "; goesOn {
			continue
		}
		words, err := shellWords(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", from, err)
		}
		line = ""
		if i := slices.IndexFunc(words, isEngine); i < 0 || i+1 >= len(words) || words[i+1] != "run" && words[i+1] != "create" && words[i+1] != "container" {
			continue
		}
		s, err := run(f.Name, words, o)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", from, err)
		}
		s.Line = from
		s.Edits = runEdits(s, from)
		all = append(all, s)
	}
	if line != "" {
		return nil, fmt.Errorf("line %d: the line is cut off", from)
	}
	return all, nil
}

func isEngine(word string) bool {
	return slices.Contains([]string{"docker", "podman", "nerdctl"}, path.Base(word))
}

// shellWords splits a line as a shell does, and refuses what only a shell knows.
func shellWords(line string) (words []string, err error) {
	var word strings.Builder
	var quote rune
	inside, escaped := false, false
	for _, c := range line {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			escaped, inside = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote == '\'':
			word.WriteRune(c)
		case strings.ContainsRune("$`", c):
			return nil, fmt.Errorf("what %q becomes knows only a shell", string(c))
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, inside = c, true
		case strings.ContainsRune("|&;<>()", c):
			return nil, fmt.Errorf("%q is a shell's", string(c))
		case c == ' ' || c == '\t':
			if inside {
				words = append(words, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteRune(c)
			inside = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote is not closed")
	}
	if inside {
		words = append(words, word.String())
	}
	return words, nil
}

// Command reads a command line such as "podman run -p 80:80 image".
func Command(words []string, o Options) (Subject, error) { return run("", words, o) }

// run reads a command line that stands in a file.
func run(file string, words []string, o Options) (Subject, error) {
	i := slices.IndexFunc(words, isEngine)
	if i < 0 {
		return Subject{}, errors.New("it names no engine: want docker, podman or nerdctl")
	}
	engine := path.Base(words[i])
	words = words[i+1:]
	if len(words) > 0 && words[0] == "container" {
		words = words[1:]
	}
	if len(words) == 0 || words[0] != "run" && words[0] != "create" {
		return Subject{}, fmt.Errorf("%s is not told to run a container", engine)
	}
	options, rest, err := read(words[1:])
	if err != nil {
		return Subject{}, err
	}
	if len(rest) == 0 {
		return Subject{}, errors.New("it names no image")
	}
	s := Subject{File: file, Name: engine + " run " + rest[0], Ref: rest[0], Container: preflight.Container{Engine: or(o.Engine, engine), Rootless: o.Rootless}}
	if len(rest) > 1 {
		s.Args = rest[1:]
	}
	return s, s.options(options, o)
}

// read reads the options before the image.
func read(words []string) (all []given, rest []string, err error) {
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case w == "--":
			return all, words[i+1:], nil
		case strings.HasPrefix(w, "--"):
			name, value, has := strings.Cut(w[2:], "=")
			switch {
			case slices.Contains(switches, name):
				if !has {
					value = "true"
				}
			case !slices.Contains(valued, name):
				return nil, nil, fmt.Errorf("what the option --%s does is not known", name)
			case !has:
				if i++; i == len(words) {
					return nil, nil, fmt.Errorf("the option --%s has no value", name)
				}
				value = words[i]
			}
			all = append(all, given{name, value})
		case len(w) > 1 && w[0] == '-':
			for at, c := range w[1:] {
				name, ok := short[c]
				if !ok {
					return nil, nil, fmt.Errorf("what the option -%c does is not known", c)
				}
				if slices.Contains(switches, name) {
					all = append(all, given{name, "true"})
					continue
				}
				value := strings.TrimPrefix(w[1:][at+1:], "=")
				if value == "" {
					if i++; i == len(words) {
						return nil, nil, fmt.Errorf("the option -%c has no value", c)
					}
					value = words[i]
				}
				all = append(all, given{name, value})
				break
			}
		default:
			return all, words[i:], nil
		}
	}
	return all, nil, nil
}

// options puts options into the subject.
func (s *Subject) options(all []given, o Options) error {
	c := &s.Container
	if c.Sysctls == nil {
		c.Sysctls = map[string]string{}
	}
	for _, g := range all {
		switch g.name {
		case "user":
			c.User, s.HasUser = g.value, true
		case "cap-add":
			c.AddCaps = append(c.AddCaps, strings.Split(g.value, ",")...)
		case "cap-drop":
			c.DropCaps = append(c.DropCaps, strings.Split(g.value, ",")...)
		case "privileged":
			c.Privileged = g.value == "true"
		case "security-opt":
			if err := securityOptions(c, []string{g.value}, s.File, o); err != nil {
				return err
			}
		case "sysctl":
			name, value, has := strings.Cut(g.value, "=")
			if !has {
				return fmt.Errorf("--sysctl %s has no value", g.value)
			}
			c.Sysctls[name] = value
		case "network", "net":
			c.Network = shared(g.value)
		case "pod":
			c.Network = "pod " + g.value
		case "userns":
			c.UserNS = g.value != "host" && g.value != ""
		case "uidmap", "gidmap", "subuidname":
			c.UserNS = true
		case "entrypoint":
			s.Command = strings.Fields(strings.Trim(g.value, "[]"))
			if strings.HasPrefix(g.value, "[") {
				s.Command = strings.FieldsFunc(strings.Trim(g.value, "[]"), func(r rune) bool { return strings.ContainsRune(`", `, r) })
			}
		case "env":
			c.Env = append(c.Env, g.value)
		case "workdir":
			c.Dir = g.value
		case "publish":
			port, protocol, _ := strings.Cut(g.value, "/")
			s.Addresses = append(s.Addresses, low(port[strings.LastIndex(port, ":")+1:], protocol)...)
		case "expose":
			port, protocol, _ := strings.Cut(g.value, "/")
			s.Addresses = append(s.Addresses, low(port, protocol)...)
		case "name":
			s.Short = g.value
		case "read-only":
			s.ReadOnly = g.value == "true"
			c.ReadOnly = s.ReadOnly
		}
	}
	s.Addresses = unique(s.Addresses)
	return nil
}

// runEdits are the options that may help, put behind the word run.
func runEdits(s Subject, line int) (all []Edit) {
	add := func(id, option string, change func(string) string) {
		all = append(all, Edit{
			ID: id, Summary: "for this container", Place: s.Container.Engine + " run", Line: line, Lines: option + "\n",
			change: func(content []byte) ([]byte, error) {
				lines := strings.SplitAfter(string(content), "\n")
				before := strings.Join(lines[:line-1], "")
				return []byte(before + change(strings.Join(lines[line-1:], ""))), nil
			},
		})
	}
	insert := func(option string) func(string) string {
		return func(text string) string {
			for _, verb := range []string{" run ", " create "} {
				if before, after, ok := strings.Cut(text, verb); ok {
					return before + verb + option + " " + after
				}
			}
			return text
		}
	}
	if s.Container.Network == "" {
		option := "--sysctl " + portStart + "=" + strconv.Itoa(lowest(s.Addresses))
		if _, says := s.Container.Sysctls[portStart]; !says { // which comes last, and counts
			add("sysctl", option, insert(option))
		}
	}
	add("cap-add", "--cap-add=NET_BIND_SERVICE", insert("--cap-add=NET_BIND_SERVICE"))
	return all
}
