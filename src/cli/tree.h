/*
 * Spans in the order of their tree. They come as a trace was heard of: a parent may be missing, parents
 * may form a ring, and each has its place all the same.
 */
#ifndef TG_CLI_TREE_H
#define TG_CLI_TREE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define TREE_NONE ((size_t)-1)

enum tree_place {
	TREE_ROOT, /* says that it has no parent */
	TREE_CHILD,
	TREE_ORPHAN, /* its parent is not here */
	TREE_RING,   /* its parents lead back to it; here the ring is cut open */
};

struct tree_node {
	enum tree_place place;
	size_t parent, first_child, last_child,
		next; /* TREE_NONE for none; `next` is of one parent */
	size_t depth;
};

struct tree {
	struct tree_node *nodes; /* as the spans are numbered */
	size_t count, first;
};

/* The spans of a trace as the daemon gives them; children keep their order. 0 or -ENOMEM. */
int tree_build(const json_t *spans, struct tree *ret_tree);
void tree_done(struct tree *tree);

/* What is shown below this one; TREE_NONE at the end. Begins with tree->first. */
size_t tree_next(const struct tree *tree, size_t node);

#endif
