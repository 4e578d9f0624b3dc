package audit

import "path"

// cron adds what root's lines of crontabs name, and the folders that they look in: crontab(5),
// anacrontab(5).
func (r *doorReader) cron() error {
	names, err := r.list("/etc/cron.d", maxDev)
	if err != nil {
		return err
	}
	tables := map[string]cronFields{
		"/etc/crontab": {5, true}, "/etc/anacrontab": {3, false},
		"/var/spool/cron/crontabs/root": {5, false}, "/var/spool/cron/root": {5, false},
		"/var/spool/cron/tabs/root": {5, false}, "/etc/crontabs/root": {5, false},
	}
	for _, name := range names {
		tables["/etc/cron.d/"+name] = cronFields{5, true}
	}
	for table, fields := range tables {
		text, err := r.read(table)
		if err != nil {
			return err
		}
		runs, loads := commands(text, fields)
		for _, name := range runs {
			if err := r.obeys(name, "change what cron runs as root"); err != nil {
				return err
			}
		}
		for _, name := range loads {
			if err := r.loads(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// obeys adds a file that root runs, and the folders above it.
func (r *doorReader) obeys(name, allows string) error {
	name = path.Clean(name)
	if r.done[name] {
		return nil
	}
	r.done[name] = true
	if err := r.add(Door{Path: name, Need: 2, Root: true, Allows: allows}); err != nil {
		return err
	}
	return r.above(name, wayAllows)
}
