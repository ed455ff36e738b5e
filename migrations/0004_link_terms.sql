ALTER TABLE `links` ADD `tools` text DEFAULT 'web' NOT NULL;--> statement-breakpoint
ALTER TABLE `links` ADD `needs_approval` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `links` ADD `allows_copy` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `links` ADD `paused_at` integer;