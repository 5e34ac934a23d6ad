// unival: published_templates.h - the text of templates/published.textproto.
#ifndef UNIVAL_UPSTREAM_PUBLISHED_TEMPLATES_H_
#define UNIVAL_UPSTREAM_PUBLISHED_TEMPLATES_H_

namespace unival {

// For ParseTemplateSet; the set names no files.
extern const char kPublishedTemplates[];

}  // namespace unival

#endif  // UNIVAL_UPSTREAM_PUBLISHED_TEMPLATES_H_
