// Check reads the files of this folder as their own tools do, refuses what those would
// refuse or ignore, and says what the files ask for in a form that can be executed:
//
//	check steps FILE JOB        the run: steps of a workflow, as a shell script each, NUL-ended
//	check podman FILE NAME IMAGE
//	                            the flags and arguments of podman run, one a line
//	check runc FILE NAME ROOTFS PROGRAM
//	                            config.json of a bundle, as the container engine makes it
//
// FILE is a Kubernetes manifest if it has an apiVersion, and otherwise of Docker Compose. NAME
// is that of a container or service. What it cannot translate is an error, so that nothing
// of a file is left out.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "steps":
		steps, err := workflow(args[1], args[2])
		for _, step := range steps {
			fmt.Print(step, "\x00")
		}
		return err
	case len(args) == 4 && args[0] == "podman":
		c, err := read(args[1], args[2])
		if err != nil {
			return err
		}
		words, err := c.podman(args[3])
		if err == nil {
			_, err = fmt.Println(strings.Join(words, "\n"))
		}
		return err
	case len(args) == 5 && args[0] == "runc":
		c, err := read(args[1], args[2])
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(c.bundle(args[3], args[4]))
	}
	return errors.New("usage: check (steps FILE JOB|podman FILE NAME IMAGE|runc FILE NAME ROOTFS PROGRAM)")
}

// read reads the container of that name.
func read(file, name string) (container, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return container{}, err
	}
	if strings.HasPrefix(string(content), "apiVersion:") || strings.Contains(string(content), "\napiVersion:") {
		m, err := manifest(content)
		if err != nil {
			return container{}, fmt.Errorf("%s: %w", file, err)
		}
		return m.container(name)
	}
	return service(file, content, name)
}
