// Package migrations holds the schemas of the stores, in the order in which they are
// applied. A file that has been released is never changed; a new one follows it.
package migrations

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed sqlite/*.sql neo4j/*.cypher
var files embed.FS

// SQLite is the schema of the embedded store, in goose's format.
var SQLite = sub("sqlite")

// Neo4j is the schema of the Neo4j store: statements that end with a semicolon at the
// end of a line, each of which may run again.
var Neo4j = sub("neo4j")

func sub(dir string) fs.FS {
	f, err := fs.Sub(files, dir)
	if err != nil {
		panic(fmt.Sprintf("migrations %s: %v", dir, err)) // the name above is not a valid path; caught by any start
	}
	return f
}
