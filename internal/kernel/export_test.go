package kernel

// Secure and Undumpable are what the process of a world shows besides its sets.
func (w World) Secure() bool {
	s, _ := w.Executed()
	return w.secure(s)
}

func (w World) Undumpable() bool {
	s, _ := w.Executed()
	return w.undumpable(s)
}

func (w World) RefusedBy(g Goal) []string { return w.refusedBy(g) }
