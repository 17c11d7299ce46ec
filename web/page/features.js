/**
 * What the page can do beside chatting, a module each: its `mount(app)` is called once, in this order.
 *
 * @import { App } from "./app.js"
 */

import { mount as mountAgent } from "./agent.js";
import { mount as mountAssistants } from "./assistants.js";
import { mount as mountBigger } from "./bigger.js";
import { mount as mountDocuments } from "./documents.js";
import { mount as mountDownload } from "./download.js";
import { mount as mountHouse } from "./house.js";
import { mount as mountInstalled } from "./installed.js";
import { mount as mountModels } from "./models.js";
import { mount as mountOwnSettings } from "./own_settings.js";
import { mount as mountRecommended } from "./recommended.js";
import { mount as mountRecovery } from "./recovery.js";
import { mount as mountSharing } from "./sharing.js";
import { mount as mountStorage } from "./storage_view.js";
import { mount as mountThinking } from "./thinking.js";
import { mount as mountTitles } from "./titles.js";
import { mount as mountVoice } from "./voice.js";

/** @type {((app: App) => void)[]} */
export const features = [
  mountAgent,
  mountAssistants,
  mountBigger,
  mountDocuments,
  mountDownload,
  mountHouse,
  mountModels,
  mountOwnSettings,
  mountRecommended,
  mountRecovery,
  mountSharing,
  mountStorage,
  mountThinking,
  mountTitles,
  mountVoice,
  mountInstalled, // what the others do, it may ask for at once
];
