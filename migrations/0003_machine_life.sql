CREATE TABLE `rollouts` (
	`id` text PRIMARY KEY NOT NULL,
	`status` text NOT NULL,
	`started_by` integer NOT NULL,
	`total` integer DEFAULT 0 NOT NULL,
	`updated` integer DEFAULT 0 NOT NULL,
	`failed_agent_id` text,
	`error` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `agents` ADD `deployed_settings` text;--> statement-breakpoint
ALTER TABLE `agents` ADD `snapshot_at` integer;--> statement-breakpoint
ALTER TABLE `machines` ADD `failed_at` integer;--> statement-breakpoint
ALTER TABLE `machines` ADD `ordered_at` integer;--> statement-breakpoint
ALTER TABLE `machines` ADD `ports_forwarded` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `machines` ADD `credits_per_day` integer;--> statement-breakpoint
CREATE INDEX `machines_by_agent` ON `machines` (`agent_id`);--> statement-breakpoint
UPDATE `machines` SET `ordered_at` = `created_at` WHERE `item_hash` IS NOT NULL AND `state` <> 'recorded';
